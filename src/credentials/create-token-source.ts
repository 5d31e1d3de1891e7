import { createAzureDevOpsOidcSource } from "./azure-devops-oidc";
import { createEntraTokenSource } from "./entra-token";
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
      return createEntraTokenSource(
        {
          authority: new URL(spec.authority),
          tenantId: spec.tenantId,
          clientId: spec.clientId,
          credential: { kind: "assertion", source: createTokenSource(spec.assertion) },
        },
        spec.scope,
      );
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
