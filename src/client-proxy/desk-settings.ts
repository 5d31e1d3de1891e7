/** The flags of `cluster-connect proxy`, as the request that the detached process gets over its stdin. */
import { readFileSync } from "node:fs";
import type { TokenSourceSpec } from "../credentials/token-source-spec";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { LogFormat, LogLevel } from "../runtime/logger";
import type { StartRequestInput } from "./control";

export interface DeskOptions {
  readonly relayUrl: string;
  readonly cluster: string;
  readonly tokenFile?: string;
  readonly tokenCommand?: string;
  readonly relayTokenFile?: string;
  readonly relayTokenCommand?: string;
  readonly relayKeyName?: string;
  readonly relayKeyFile?: string;
  readonly relayCa?: string;
  readonly clusterCa?: readonly string[];
  readonly listen?: string;
  readonly contextName?: string;
  readonly namespace?: string;
  readonly mergeInto?: string;
  readonly maxStreams?: string;
  readonly insecureTrustRelay?: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Throws ERR_SETTINGS_INVALID or ERR_SETTINGS_UNREADABLE. */
export function deskRequest(options: DeskOptions, instanceDirectory: string): StartRequestInput {
  const key = readKey(options);
  return {
    instanceDirectory,
    cluster: options.cluster,
    relay: {
      url: options.relayUrl,
      ...(options.relayCa === undefined ? {} : { caPem: readText(options.relayCa) }),
      credential: key ?? tokenSource("--relay-token", options.relayTokenFile, options.relayTokenCommand),
    },
    clusterCredential: tokenSource("--token", options.tokenFile, options.tokenCommand),
    clusterCa: (options.clusterCa ?? []).map((value) =>
      value.startsWith("sha256:") ? value : readText(value),
    ),
    contextName: options.contextName ?? options.cluster,
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.listen === undefined ? {} : { listen: parseListen(options.listen) }),
    ...(options.maxStreams === undefined ? {} : { maxStreams: Number(options.maxStreams) }),
    logLevel: options.logLevel,
  };
}

function readKey(options: DeskOptions): { kind: "sas"; keyName: string; key: string } | undefined {
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

function tokenSource(flag: string, file: string | undefined, command: string | undefined): TokenSourceSpec {
  if ((file === undefined) === (command === undefined)) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `give either ${flag}-file or ${flag}-command`);
  }
  return file === undefined
    ? { kind: "command", command: splitCommand(command ?? "") }
    : { kind: "file", path: file };
}

/** Words separated by blanks, quotes keeping blanks together. No shell: nothing else has a meaning. */
export function splitCommand(text: string): string[] {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => String(double ?? single)),
  );
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `--listen is "${text}", not host:port`);
  }
  return { host: match[1] ?? match[2] ?? "", port: Number(match[3]) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
}
