/** Inputs, read once and checked together: one message names everything that is wrong. */
import { readArcSettings, type ArcSettings } from "./arc-settings";
import { InputReader } from "./input-reader";
import {
  parseBoolean,
  parseClusterName,
  parseLogLevel,
  parseNamespace,
  parseTimeout,
  type logLevels,
} from "./parse-input";
import type { CiPlatform } from "./platform";
import { readRelaySettings, type RelaySettings } from "./relay-settings";

export interface CiSettings {
  readonly clusterName: string;
  /** The way into the cluster. */
  readonly way: RelaySettings | ArcSettings;
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
  const settings: CiSettings = {
    clusterName,
    way: isArc(reader) ? readArcSettings(reader, clusterName) : readRelaySettings(reader, clusterName),
    contextName: reader.text("context-name") || clusterName,
    namespace: reader.parse("namespace", parseNamespace),
    timeoutMs: reader.parse("timeout", parseTimeout) ?? 0,
    logLevel: reader.parse("log-level", parseLogLevel) ?? "info",
    summary: reader.parse("summary", parseBoolean) ?? true,
  };
  reader.check();
  return Object.freeze(settings);
}

/** Which of the two ways the inputs mean; what they say of both, or of neither, is a problem. */
function isArc(reader: InputReader): boolean {
  const isRelay = reader.text("relay-url") !== "";
  const isAzure = reader.text("subscription-id") !== "" || reader.text("resource-group") !== "";
  if (isRelay && isAzure) reader.problem("relay-url has no sense beside subscription-id and resource-group");
  if (!isRelay && !isAzure) {
    reader.problem("relay-url is required, or for Azure Arc subscription-id and resource-group");
  }
  return isAzure && !isRelay;
}
