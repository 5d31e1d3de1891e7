/** What the token endpoints of CI systems have in common: a bearer in, a JSON object with one token out. */
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import type { Token } from "./token-source";
import { receivedToken } from "./token";
import { extractToken, maxTokenBytes } from "./token-text";

export interface IdentityRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly bearer: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the answer's member that holds the token. */
  readonly member: string;
  /** What the token is for, as words that follow "status 403". */
  readonly purpose: string;
  readonly signal: AbortSignal | undefined;
}

/** Throws ERR_OIDC_UNREACHABLE for what may pass, ERR_OIDC_REQUEST_REFUSED for what will not. */
export async function requestIdentityToken(request: IdentityRequest): Promise<Token> {
  const response = await send(request);
  if (response.status !== 200) throw refusal(response, request.purpose);
  const token = readAnswer(response.body, request.member);
  if (token === undefined) {
    throw new ClusterConnectError("ERR_OIDC_REQUEST_REFUSED", "the answer holds no token");
  }
  return receivedToken(token);
}

async function send({ url, method, bearer, headers, signal }: IdentityRequest): Promise<HttpResponse> {
  try {
    return await sendHttpRequest({
      url,
      method,
      headers: { Authorization: `Bearer ${bearer}`, Accept: "application/json", ...headers },
      maxBytes: 2 * maxTokenBytes,
      signal,
    });
  } catch (error) {
    if (error instanceof ClusterConnectError && error.code !== "ERR_HTTP_FAILED") throw error;
    throw new ClusterConnectError("ERR_OIDC_UNREACHABLE", messageOf(error), { cause: error });
  }
}

function refusal(response: HttpResponse, purpose: string): ClusterConnectError {
  // 5xx and 429 are the endpoint's own trouble; the caller asks again.
  const isOutage = response.status >= 500 || response.status === 429;
  const code = isOutage ? "ERR_OIDC_UNREACHABLE" : "ERR_OIDC_REQUEST_REFUSED";
  return new ClusterConnectError(code, `status ${String(response.status)} ${purpose}`);
}

function readAnswer(body: string, member: string): string | undefined {
  try {
    const value = (JSON.parse(body) as Record<string, unknown>)[member];
    return typeof value === "string" ? extractToken(value) : undefined;
  } catch {
    return undefined;
  }
}
