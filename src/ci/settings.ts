/** Inputs, read once and checked together: one message names everything that is wrong. */
import type { StartRequestInput } from "../client-proxy/control";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { parseDuration } from "../runtime/duration";
import { inputs, type InputDefinition, type InputName } from "./inputs";
import type { CiPlatform } from "./platform";

type LogLevel = NonNullable<StartRequestInput["logLevel"]>;
const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export interface CiSettings {
  readonly clusterName: string;
  readonly relayUrl: URL;
  readonly relayCa: string | undefined;
  readonly clusterCa: readonly string[];
  readonly trustRelay: boolean;
  readonly relayAudience: string;
  readonly clusterAudience: string;
  readonly relayKey: { readonly name: string; readonly key: string } | undefined;
  readonly contextName: string;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  readonly logLevel: LogLevel;
  readonly summary: boolean;
}

/** Masks what is secret before anything else is done with it. Throws ERR_CI_INPUT. */
export function readSettings(platform: CiPlatform): CiSettings {
  const problems: string[] = [];
  const text = (name: InputName) => readInput(platform, name, problems);
  const attempt = <Value>(name: InputName, parse: (value: string) => Value, fallback: Value): Value => {
    const value = text(name);
    if (value === "") return fallback;
    try {
      return parse(value);
    } catch (error) {
      problems.push(messageOf(error));
      return fallback;
    }
  };
  const clusterName = text("cluster-name");
  const relayUrl = attempt("relay-url", parseRelayUrl, new URL("https://relay.invalid"));
  const clusterCa = text("cluster-ca");
  const settings: CiSettings = {
    clusterName,
    relayUrl,
    relayCa: text("relay-ca") || undefined,
    clusterCa: clusterCa === "" ? [] : [clusterCa],
    trustRelay: attempt("insecure-trust-relay", parseBoolean("insecure-trust-relay"), false),
    relayAudience: text("relay-audience") || relayUrl.origin,
    clusterAudience: text("cluster-audience") || `cluster-connect/${clusterName}`,
    relayKey: readKey(text("relay-key-name"), text("relay-key"), problems),
    contextName: text("context-name") || clusterName,
    namespace: text("namespace") || undefined,
    timeoutMs: attempt("timeout", (value) => parseDuration(value, "timeout"), 60_000),
    logLevel: attempt("log-level", parseLogLevel, "info"),
    summary: attempt("summary", parseBoolean("summary"), true),
  };
  if (settings.relayKey === undefined && settings.relayAudience === settings.clusterAudience) {
    problems.push(
      "relay-audience and cluster-audience must differ: the relay could use its token at the cluster",
    );
  }
  if (problems.length > 0) throw new ClusterConnectError("ERR_CI_INPUT", problems.join("; "));
  return Object.freeze(settings);
}

function readInput(platform: CiPlatform, name: InputName, problems: string[]): string {
  const definition: InputDefinition = inputs[name];
  const value = platform.readInput(name);
  if (definition.secret === true && value !== "") platform.maskSecret(value);
  if (definition.required === true && value === "") problems.push(`${name} is required`);
  return value === "" ? (definition.default ?? "") : value;
}

function parseRelayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = url !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  const isAllowed = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback);
  if (url === undefined || !isAllowed || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new Error(`relay-url is "${text}", not an https:// address without path, query or user`);
  }
  return url;
}

function readKey(name: string, key: string, problems: string[]): CiSettings["relayKey"] {
  if ((name === "") !== (key === "")) problems.push("relay-key-name and relay-key belong together");
  return name === "" || key === "" ? undefined : { name, key };
}

const parseBoolean = (name: InputName) => (text: string) => {
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  throw new Error(`${name} is "${text}", neither true nor false`);
};

function parseLogLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (level === undefined) throw new Error(`log-level is "${text}", not one of ${logLevels.join(", ")}`);
  return level;
}
