/** The inputs of a way through our own relay, or an Azure Relay namespace. */
import { readCredentialSettings, type CredentialSettings } from "./credential-settings";
import type { InputReader } from "./input-reader";
import { arcAlone } from "./arc-settings";
import { parseBoolean, parseCertificates, parseOrigin } from "./parse-input";

export interface RelaySettings {
  readonly kind: "relay";
  readonly relayUrl: URL;
  readonly relayCa: string | undefined;
  /** PEM and pins as they were given; the client proxy reads them. */
  readonly clusterCa: string | undefined;
  readonly trustRelay: boolean;
  readonly credentials: CredentialSettings;
}

export function readRelaySettings(reader: InputReader, clusterName: string): RelaySettings {
  const relayUrl = reader.parse("relay-url", parseOrigin) ?? new URL("https://relay.invalid");
  reader.refuse(arcAlone, "beside relay-url: it is Azure Arc's");
  return {
    kind: "relay",
    relayUrl,
    relayCa: reader.parse("relay-ca", parseCertificates),
    clusterCa: reader.text("cluster-ca") || undefined,
    trustRelay: reader.parse("insecure-trust-relay", parseBoolean) ?? false,
    credentials: readCredentialSettings(reader, {
      relayAudience: relayUrl.origin,
      clusterAudience: `cluster-connect/${clusterName}`,
    }),
  };
}
