/**
 * Microsoft Entra's exchange of a CI system's assertion for an access token: the client credentials grant (RFC 6749
 * §4.4) with a JWT as client authentication (RFC 7523 §2.2). The assertion is asked for anew at each exchange: it
 * lives for minutes only, and it is shown to nobody else.
 */
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import { readUnverifiedClaims } from "./jwt-claims";
import type { Token, TokenSource } from "./token-source";
import { extractToken, maxTokenBytes } from "./token-text";

export interface EntraExchangeOptions {
  /** Origin of the authority, such as https://login.microsoftonline.com. */
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** `RESOURCE/.default`: the resource becomes the token's audience. */
  readonly scope: string;
  readonly assertion: TokenSource;
}

/** What Entra answers is told in full up to here: its reason stands at the beginning. */
const maxReasonCharacters = 400;

export function createEntraExchangeSource(options: EntraExchangeOptions): TokenSource {
  const { authority, tenantId, clientId, scope } = options;
  const url = new URL(`${encodeURIComponent(tenantId)}/oauth2/v2.0/token`, `${authority}/`);
  return {
    description: `Microsoft Entra for ${scope}`,
    async fetch(signal) {
      const assertion = (await options.assertion.fetch(signal)).value;
      const form = new URLSearchParams({
        grant_type: "client_credentials",
        client_id: clientId,
        scope,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: assertion,
      });
      const response = await send(url, form, signal);
      if (response.status !== 200) throw refusal(response, options, assertion);
      return readToken(response.body);
    },
  };
}

async function send(url: URL, form: URLSearchParams, signal?: AbortSignal): Promise<HttpResponse> {
  try {
    return await sendHttpRequest({
      url,
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
      body: form.toString(),
      maxBytes: 2 * maxTokenBytes,
      signal,
    });
  } catch (error) {
    if (error instanceof ClusterConnectError && error.code !== "ERR_HTTP_FAILED") throw error;
    throw new ClusterConnectError("ERR_ENTRA_UNREACHABLE", messageOf(error), { cause: error });
  }
}

function readToken(body: string): Token {
  const answer = readJson(body);
  const value = typeof answer["access_token"] === "string" ? extractToken(answer["access_token"]) : undefined;
  if (value === undefined) throw new ClusterConnectError("ERR_ENTRA_REFUSED", "the answer holds no token");
  // Not from the token: an access token is opaque to whoever asked for it.
  const seconds = Number(answer["expires_in"]);
  const lifetimeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined;
  return { value, receivedAtMs: Date.now(), lifetimeMs };
}

/** Names what a federated credential has to match; a mismatch of these is what is wrong most often. */
function refusal(
  response: HttpResponse,
  options: EntraExchangeOptions,
  assertion: string,
): ClusterConnectError {
  const { status, body } = response;
  const { error, error_description: description } = readJson(body);
  const reason = [error, description].filter((text) => typeof text === "string").join(": ");
  if (status >= 500 || status === 429) {
    return new ClusterConnectError("ERR_ENTRA_UNREACHABLE", `status ${String(status)}`);
  }
  const { iss, sub, aud } = readUnverifiedClaims(assertion) ?? {};
  return new ClusterConnectError(
    "ERR_ENTRA_REFUSED",
    `status ${String(status)} for ${options.scope}, client ${options.clientId}: ` +
      `${reason.split(/\r?\n/)[0]?.slice(0, maxReasonCharacters) ?? ""} ` +
      `(the job's assertion has issuer "${String(iss)}", subject "${String(sub)}", audience "${String(aud)}")`,
  );
}

function readJson(body: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
