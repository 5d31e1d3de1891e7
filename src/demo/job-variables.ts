/** What a job has to know to be the demo's, for whoever runs the action by other means than the demo's own runner. */
import { randomUUID } from "node:crypto";
import { cluster, type Installation } from "./installation";

/**
 * The text of a GITHUB_ENV file. The first three names are the runner's and Node's own, so that the action asks the
 * demo's issuer for its tokens.
 */
export function jobVariables(installation: Installation): string {
  const { issuerUrl, requestToken, issuerCaFile, relayUrl, relayCaPem, clusterCaPin } = installation;
  const variables = {
    ACTIONS_ID_TOKEN_REQUEST_URL: tokenRequestUrl(issuerUrl),
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    NODE_EXTRA_CA_CERTS: issuerCaFile,
    DEMO_CLUSTER: cluster,
    DEMO_RELAY_URL: relayUrl,
    DEMO_RELAY_CA: relayCaPem,
    DEMO_CLUSTER_CA: clusterCaPin,
  };
  const end = `end-${randomUUID()}`;
  return Object.entries(variables)
    .map(([name, value]) => `${name}<<${end}\n${value}\n${end}\n`)
    .join("");
}

export const tokenRequestUrl = (issuerUrl: string): string => `${issuerUrl}/token?api-version=2.0`;
