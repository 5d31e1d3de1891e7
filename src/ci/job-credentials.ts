/** What the client proxy is told to obtain tokens with. */
import type { RelayBackendRequest } from "../client-proxy/control";
import { ClusterConnectError } from "../runtime/errors";
import type { SideCredential } from "./credential-settings";
import type { CiPlatform } from "./platform";
import type { RelaySettings } from "./relay-settings";

export interface JobCredentials {
  readonly relay: RelayBackendRequest["credential"];
  readonly cluster: RelayBackendRequest["clusterCredential"];
}

/**
 * One token for each of relay and cluster: with one for both, a relay could act as the job in the cluster. Throws
 * ERR_CI_SHARED_TOKEN where the CI system can issue but one and nobody has allowed that.
 */
export function jobCredentials({ identity }: CiPlatform, { credentials }: RelaySettings): JobCredentials {
  const { relay, cluster, entra, serviceConnection, allowSharedToken } = credentials;
  if (relay.kind === "token" && cluster.kind === "token" && !identity.choosesAudience && !allowSharedToken) {
    throw new ClusterConnectError("ERR_CI_SHARED_TOKEN");
  }
  const client = entra === undefined ? undefined : identity.entraClient(entra);
  const side = (credential: SideCredential): JobCredentials["cluster"] => {
    if (credential.kind === "token") {
      return identity.token({ audience: credential.audience, serviceConnection });
    }
    if (client === undefined) throw new TypeError("a scope without a login");
    return { kind: "entra", scope: credential.scope, ...client };
  };
  return {
    relay: relay.kind === "key" ? { kind: "sas", keyName: relay.name, key: relay.key } : side(relay),
    cluster: cluster.kind === "given" ? { kind: "static", token: cluster.token } : side(cluster),
  };
}
