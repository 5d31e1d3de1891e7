/** Inputs, read once and checked together: one message names everything that is wrong. */
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { inputs, type InputDefinition, type InputName } from "./inputs";
import {
  parseAudience,
  parseBoolean,
  parseCertificates,
  parseClusterName,
  parseLogLevel,
  parseNamespace,
  parseRelayUrl,
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
  readonly relayAudience: string;
  readonly clusterAudience: string;
  readonly relayKey: { readonly name: string; readonly key: string } | undefined;
  readonly contextName: string;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  readonly logLevel: (typeof logLevels)[number];
  readonly summary: boolean;
}

/** Masks what is secret before anything else is done with it. Throws ERR_CI_INPUT. */
export function readSettings(platform: CiPlatform): CiSettings {
  const texts = readInputs(platform);
  const problems: string[] = [];
  const attempt = <Value>(name: InputName, parse: (text: string) => Value): Value | undefined => {
    const text = texts[name];
    try {
      return text === "" ? undefined : parse(text);
    } catch (error) {
      problems.push(error instanceof ClusterConnectError ? error.detail : messageOf(error));
      return undefined;
    }
  };
  for (const [name, { required }] of Object.entries(inputs as Record<string, InputDefinition>)) {
    if (required === true && texts[name as InputName] === "") problems.push(`${name} is required`);
  }
  const clusterName = attempt("cluster-name", parseClusterName) ?? "";
  const relayUrl = attempt("relay-url", parseRelayUrl) ?? new URL("https://relay.invalid");
  const settings: CiSettings = {
    clusterName,
    relayUrl,
    relayCa: attempt("relay-ca", parseCertificates),
    clusterCa: texts["cluster-ca"] || undefined,
    trustRelay: attempt("insecure-trust-relay", parseBoolean("insecure-trust-relay")) ?? false,
    relayAudience: attempt("relay-audience", parseAudience("relay-audience")) ?? relayUrl.origin,
    clusterAudience:
      attempt("cluster-audience", parseAudience("cluster-audience")) ?? `cluster-connect/${clusterName}`,
    relayKey: readKey(texts, problems),
    contextName: texts["context-name"] || clusterName,
    namespace: attempt("namespace", parseNamespace),
    timeoutMs: attempt("timeout", parseTimeout) ?? 0,
    logLevel: attempt("log-level", parseLogLevel) ?? "info",
    summary: attempt("summary", parseBoolean("summary")) ?? true,
  };
  if (settings.relayKey === undefined && settings.relayAudience === settings.clusterAudience) {
    problems.push(
      "relay-audience and cluster-audience must differ: the relay could use its token at the cluster",
    );
  }
  if (problems.length > 0) throw new ClusterConnectError("ERR_CI_INPUT", problems.join("; "));
  return Object.freeze(settings);
}

function readInputs(platform: CiPlatform): Record<InputName, string> {
  const texts = Object.entries(inputs as Record<string, InputDefinition>).map(
    ([name, { secret, default: fallback = "" }]) => {
      const text = platform.readInput(name);
      if (secret === true && text !== "") platform.maskSecret(text);
      return [name, text === "" ? fallback : text];
    },
  );
  return Object.fromEntries(texts) as Record<InputName, string>;
}

function readKey(texts: Record<InputName, string>, problems: string[]): CiSettings["relayKey"] {
  const { "relay-key-name": name, "relay-key": key } = texts;
  if ((name === "") !== (key === "")) problems.push("relay-key-name and relay-key belong together");
  if (key !== "" && texts["relay-audience"] !== "") {
    problems.push("relay-audience has no sense beside relay-key: no token is shown to the relay");
  }
  return name === "" || key === "" ? undefined : { name, key };
}
