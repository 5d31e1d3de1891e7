import type { StartRequestInput } from "../client-proxy/control";
import { jobCredentials } from "./job-credentials";
import type { CiPlatform } from "./platform";
import type { RelaySettings } from "./relay-settings";

/** What the client proxy is told of the way through a relay. */
export function relayBackend(platform: CiPlatform, settings: RelaySettings): StartRequestInput["backend"] {
  const { relayUrl, relayCa, clusterCa } = settings;
  const { relay, cluster } = jobCredentials(platform, settings);
  return {
    kind: "relay",
    url: relayUrl.origin,
    ...(relayCa === undefined ? {} : { caPem: relayCa }),
    credential: relay,
    clusterCredential: cluster,
    clusterCa: clusterCa === undefined ? [] : [clusterCa],
  };
}
