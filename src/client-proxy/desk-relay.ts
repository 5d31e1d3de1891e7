/** The flags of `cluster-connect proxy` for a way through our own relay. */
import { ClusterConnectError } from "../runtime/errors";
import type { StartRequestInput } from "./control";
import { readText, tokenSource } from "./desk-files";

export interface DeskRelayOptions {
  readonly relayUrl?: string;
  readonly tokenFile?: string;
  readonly tokenCommand?: string;
  readonly relayTokenFile?: string;
  readonly relayTokenCommand?: string;
  readonly relayKeyName?: string;
  readonly relayKeyFile?: string;
  readonly relayCa?: string;
  readonly clusterCa?: readonly string[];
  readonly maxStreams?: string;
}

/** Throws ERR_SETTINGS_INVALID or ERR_SETTINGS_UNREADABLE. */
export function relayBackendOf(options: DeskRelayOptions): StartRequestInput["backend"] {
  const key = readKey(options);
  return {
    kind: "relay",
    url: options.relayUrl ?? "",
    ...(options.relayCa === undefined ? {} : { caPem: readText(options.relayCa) }),
    credential: key ?? tokenSource("--relay-token", options.relayTokenFile, options.relayTokenCommand),
    clusterCredential: tokenSource("--token", options.tokenFile, options.tokenCommand),
    clusterCa: (options.clusterCa ?? []).map((value) =>
      value.startsWith("sha256:") ? value : readText(value),
    ),
    ...(options.maxStreams === undefined ? {} : { maxStreams: Number(options.maxStreams) }),
  };
}

function readKey(options: DeskRelayOptions): { kind: "sas"; keyName: string; key: string } | undefined {
  const { relayKeyName, relayKeyFile, relayTokenFile, relayTokenCommand } = options;
  if (relayKeyName === undefined && relayKeyFile === undefined) return undefined;
  if (relayKeyName === undefined || relayKeyFile === undefined) {
    throw new ClusterConnectError(
      "ERR_SETTINGS_INVALID",
      "--relay-key-name and --relay-key-file belong together",
    );
  }
  if (relayTokenFile !== undefined || relayTokenCommand !== undefined) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", "give the relay either a key or a token");
  }
  return { kind: "sas", keyName: relayKeyName, key: readText(relayKeyFile).trim() };
}
