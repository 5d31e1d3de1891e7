/**
 * Microsoft Entra's token endpoint, OAuth 2.0 client credentials (RFC 6749 §4.4): one form, posted afresh for every
 * token. Why no library does it: docs/adr/0007.
 */
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import { proveClient, type EntraClient } from "./entra-credential";
import { explainEntraRefusal } from "./entra-refusal";
import type { Token, TokenSource } from "./token-source";
import { maxTokenBytes } from "./token-text";

export interface EntraTokenRequest {
  readonly client: EntraClient;
  /** Such as `https://management.azure.com/.default`. */
  readonly scope: string;
  /**
   * Binds the token to the holder of a key: its id, the RFC 7638 thumbprint. What comes back carries it as `cnf.kid`.
   */
  readonly keyId?: string;
  readonly signal?: AbortSignal | undefined;
}

/** `expires_in` is the life left, in seconds. */
const answer = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });

/** Throws a ClusterConnectError with an ERR_ENTRA_… code, or that of the assertion's source. */
export async function requestEntraToken(request: EntraTokenRequest): Promise<Token> {
  const { client, scope, keyId, signal } = request;
  const tokenEndpoint = new URL(
    `/${encodeURIComponent(client.tenantId)}/oauth2/v2.0/token`,
    client.authority,
  );
  const proof = await proveClient(client.credential, { id: client.clientId, tokenEndpoint }, signal);
  const form = new URLSearchParams({
    client_id: client.clientId,
    grant_type: "client_credentials",
    scope,
    ...proof.fields,
    ...(keyId === undefined ? {} : { token_type: "pop", req_cnf: confirmationOf(keyId) }),
  });
  const askedAtMs = Date.now();
  const response = await post(tokenEndpoint, form, signal);
  if (response.status !== 200)
    throw explainEntraRefusal(response, { client, scope, assertion: proof.assertion });
  const parsed = answer.safeParse(parseJson(response.body));
  if (!parsed.success) throw new ClusterConnectError("ERR_ENTRA_REFUSED", "the answer holds no token");
  return {
    value: parsed.data.access_token,
    // An answer may have been long under way; what is over must not be taken for fresh.
    receivedAtMs: askedAtMs,
    // Not `exp − iat`: Entra may hand out one that it has made some minutes ago.
    lifetimeMs: parsed.data.expires_in * 1_000,
  };
}

/** The same as a source of tokens for one scope. */
export const createEntraTokenSource = (client: EntraClient, scope: string): TokenSource => ({
  description: `Microsoft Entra for ${scope}`,
  fetch: (signal) => requestEntraToken({ client, scope, signal }),
});

/** Base64url of JSON without padding; sent as plain JSON it is answered with 500. `sw`: the key lies in software. */
const confirmationOf = (keyId: string): string =>
  Buffer.from(JSON.stringify({ kid: keyId, xms_ksl: "sw" })).toString("base64url");

async function post(url: URL, form: URLSearchParams, signal?: AbortSignal): Promise<HttpResponse> {
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
