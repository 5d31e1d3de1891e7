/**
 * GitHub Actions' OIDC endpoint. Request URL and request token stay valid for the whole job, while the tokens that
 * they buy live five minutes; hence the client proxy asks again by itself.
 */
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import type { TokenSource } from "./token-source";
import { receivedToken } from "./token";
import { extractToken, maxTokenBytes } from "./token-text";

export interface GitHubOidcOptions {
  readonly requestUrl: string;
  readonly requestToken: string;
  readonly audience: string;
}

export function createGitHubOidcSource(options: GitHubOidcOptions): TokenSource {
  const url = new URL(options.requestUrl);
  url.searchParams.set("audience", options.audience);
  return {
    description: `GitHub OIDC for audience ${options.audience}`,
    async fetch(signal) {
      const response = await request(url, options.requestToken, signal);
      if (response.status !== 200) throw refusal(response, options.audience);
      const token = readAnswer(response.body);
      if (token === undefined) {
        throw new ClusterConnectError("ERR_OIDC_REQUEST_REFUSED", "the answer holds no token");
      }
      return receivedToken(token);
    },
  };
}

async function request(url: URL, requestToken: string, signal?: AbortSignal): Promise<HttpResponse> {
  try {
    return await sendHttpRequest({
      url,
      headers: { Authorization: `Bearer ${requestToken}`, Accept: "application/json" },
      maxBytes: 2 * maxTokenBytes,
      signal,
    });
  } catch (error) {
    if (error instanceof ClusterConnectError && error.code !== "ERR_HTTP_FAILED") throw error;
    throw new ClusterConnectError("ERR_OIDC_UNREACHABLE", messageOf(error), { cause: error });
  }
}

function refusal(response: HttpResponse, audience: string): ClusterConnectError {
  // 5xx and 429 are the endpoint's own trouble; the caller asks again.
  const code =
    response.status >= 500 || response.status === 429 ? "ERR_OIDC_UNREACHABLE" : "ERR_OIDC_REQUEST_REFUSED";
  return new ClusterConnectError(code, `status ${String(response.status)} for audience ${audience}`);
}

function readAnswer(body: string): string | undefined {
  try {
    const { value } = JSON.parse(body) as { value?: unknown };
    return typeof value === "string" ? extractToken(value) : undefined;
  } catch {
    return undefined;
  }
}
