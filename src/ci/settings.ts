/** Inputs, read once and checked together: one message names everything that is wrong. */
import { readCredentialSettings, type CredentialSettings } from "./credential-settings";
import { InputReader } from "./input-reader";
import {
  parseBoolean,
  parseCertificates,
  parseClusterName,
  parseLogLevel,
  parseNamespace,
  parseOrigin,
  parseTimeout,
  type logLevels,
} from "./parse-input";
import type { CiPlatform } from "./platform";

export interface CiSettings {
  readonly clusterName: string;
  readonly relayUrl: URL;
  readonly relayCa: string | undefined;
  /** PEM and pins as they were given; the client proxy reads them. */
  readonly clusterCa: string | undefined;
  readonly trustRelay: boolean;
  readonly credentials: CredentialSettings;
  readonly contextName: string;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  readonly logLevel: (typeof logLevels)[number];
  readonly summary: boolean;
}

/** Masks what is secret before anything else is done with it. Throws ERR_CI_INPUT. */
export function readSettings(platform: CiPlatform): CiSettings {
  const reader = new InputReader(platform);
  const clusterName = reader.parse("cluster-name", parseClusterName) ?? "";
  const relayUrl = reader.parse("relay-url", parseOrigin) ?? new URL("https://relay.invalid");
  const settings: CiSettings = {
    clusterName,
    relayUrl,
    relayCa: reader.parse("relay-ca", parseCertificates),
    clusterCa: reader.text("cluster-ca") || undefined,
    trustRelay: reader.parse("insecure-trust-relay", parseBoolean) ?? false,
    credentials: readCredentialSettings(reader, {
      relayAudience: relayUrl.origin,
      clusterAudience: `cluster-connect/${clusterName}`,
    }),
    contextName: reader.text("context-name") || clusterName,
    namespace: reader.parse("namespace", parseNamespace),
    timeoutMs: reader.parse("timeout", parseTimeout) ?? 0,
    logLevel: reader.parse("log-level", parseLogLevel) ?? "info",
    summary: reader.parse("summary", parseBoolean) ?? true,
  };
  reader.check();
  return Object.freeze(settings);
}
