/**
 * GitHub Actions' OIDC endpoint. Request URL and request token stay valid for the whole job, while the tokens that
 * they buy live five minutes; hence the client proxy asks again by itself.
 */
import { requestIdentityToken } from "./identity-endpoint";
import type { TokenSource } from "./token-source";

export interface GitHubOidcOptions {
  readonly requestUrl: string;
  readonly requestToken: string;
  readonly audience: string;
}

export function createGitHubOidcSource({
  requestUrl,
  requestToken,
  audience,
}: GitHubOidcOptions): TokenSource {
  const url = new URL(requestUrl);
  url.searchParams.set("audience", audience);
  return {
    description: `GitHub OIDC for audience ${audience}`,
    fetch: (signal) =>
      requestIdentityToken({
        url,
        method: "GET",
        bearer: requestToken,
        member: "value",
        purpose: `for audience ${audience}`,
        signal,
      }),
  };
}
