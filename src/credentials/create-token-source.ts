import { createAzureDevOpsOidcSource } from "./azure-devops-oidc";
import { createEntraExchangeSource } from "./entra-exchange";
import { createGitHubOidcSource } from "./github-oidc";
import { receivedToken } from "./token";
import { createTokenCommandSource } from "./token-command";
import { createTokenFileSource } from "./token-file";
import type { TokenSource } from "./token-source";
import type { TokenSourceSpec } from "./token-source-spec";

/** The source that a specification describes. */
export function createTokenSource(spec: TokenSourceSpec): TokenSource {
  switch (spec.kind) {
    case "github-oidc":
      return createGitHubOidcSource(spec);
    case "azure-devops-oidc":
      return createAzureDevOpsOidcSource(spec);
    case "entra":
      return createEntraExchangeSource({ ...spec, assertion: createTokenSource(spec.assertion) });
    case "file":
      return createTokenFileSource(spec.path);
    case "command":
      return createTokenCommandSource(spec.command);
    case "static": {
      const token = receivedToken(spec.token);
      return { description: "a given token", fetch: () => Promise.resolve(token) };
    }
  }
}
