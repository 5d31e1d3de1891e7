/**
 * Azure DevOps' OIDC endpoint (REST `oidctoken`, api-version 7.1). The job's access token stays valid for the whole
 * job, while the tokens that it buys live five to ten minutes. Their audience cannot be chosen.
 */
import { requestIdentityToken } from "./identity-endpoint";
import type { TokenSource } from "./token-source";

export interface AzureDevOpsOidcOptions {
  /** The job's `System.OidcRequestUri`. */
  readonly requestUri: string;
  /** The job's `System.AccessToken`. */
  readonly accessToken: string;
  /** Id of a service connection in whose name to ask; without one, in the pipeline's. */
  readonly serviceConnectionId?: string | undefined;
}

export function createAzureDevOpsOidcSource(options: AzureDevOpsOidcOptions): TokenSource {
  const { requestUri, accessToken, serviceConnectionId } = options;
  const url = new URL(requestUri);
  url.searchParams.set("api-version", "7.1");
  if (serviceConnectionId !== undefined) url.searchParams.set("serviceConnectionId", serviceConnectionId);
  const whose =
    serviceConnectionId === undefined ? "the pipeline" : `service connection ${serviceConnectionId}`;
  return {
    description: `Azure DevOps OIDC of ${whose}`,
    fetch: (signal) =>
      requestIdentityToken({
        url,
        method: "POST",
        bearer: accessToken,
        // Without it a token that is not accepted is answered by a sign-in page.
        headers: { "Content-Type": "application/json", "X-TFS-FedAuthRedirect": "Suppress" },
        member: "oidcToken",
        purpose: `for ${whose}`,
        signal,
      }),
  };
}
