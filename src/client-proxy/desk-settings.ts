/** The flags of `cluster-connect proxy`, as the request that the detached process gets over its stdin. */
import { ClusterConnectError } from "../runtime/errors";
import type { LogFormat, LogLevel } from "../runtime/logger";
import type { ArcBackendRequest, StartRequestInput } from "./control";
import { arcBackendOf, type DeskArcOptions } from "./desk-arc";
import { relayBackendOf, type DeskRelayOptions } from "./desk-relay";

export interface DeskOptions extends DeskRelayOptions, DeskArcOptions {
  readonly cluster: string;
  readonly listen?: string;
  readonly contextName?: string;
  readonly namespace?: string;
  readonly mergeInto?: string;
  readonly insecureTrustRelay?: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

const relayAlone = [
  "relayTokenFile",
  "relayTokenCommand",
  "relayKeyName",
  "relayKeyFile",
  "relayCa",
] as const;
const arcAlone = [
  "subscriptionId",
  "resourceGroup",
  "cloud",
  "tenantId",
  "clientId",
  "arcProxyPath",
] as const;

/** Whether the way is that through Azure Arc. Throws ERR_SETTINGS_INVALID when the flags are of both, or of neither. */
export function isArc(options: DeskOptions): boolean {
  const isRelay = options.relayUrl !== undefined;
  const given = (names: readonly (keyof DeskOptions)[]) => names.some((name) => options[name] !== undefined);
  if (isRelay === (options.subscriptionId !== undefined)) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", "give either --relay-url or --subscription-id");
  }
  const stranger = isRelay ? given(arcAlone) : given(relayAlone) || options.clusterCa !== undefined;
  if (stranger) {
    const which = isRelay ? "of Azure Arc beside --relay-url" : "of a relay beside --subscription-id";
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `flags ${which}`);
  }
  return !isRelay;
}

/** `program`: arcProxy, where the way is that through Azure Arc. Throws ERR_SETTINGS_INVALID or ERR_SETTINGS_UNREADABLE. */
export function deskRequest(
  options: DeskOptions,
  instanceDirectory: string,
  program?: ArcBackendRequest["program"],
): StartRequestInput {
  return {
    instanceDirectory,
    cluster: options.cluster,
    backend: program === undefined ? relayBackendOf(options) : arcBackendOf(options, program),
    contextName: options.contextName ?? options.cluster,
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.listen === undefined ? {} : { listen: parseListen(options.listen) }),
    logLevel: options.logLevel,
  };
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", `--listen is "${text}", not host:port`);
  }
  return { host: match[1] ?? match[2] ?? "", port: Number(match[3]) };
}
