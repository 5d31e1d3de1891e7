/** `cluster-connect relay explain`: the decision about a token, with what every rule says, before anybody is let in. */
import { readFileSync } from "node:fs";
import { findEntity } from "../hybrid-connections/addresses";
import { isSasToken } from "../hybrid-connections/sas-token";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { silentLogger } from "../runtime/logger";
import type { Right } from "./admission";
import { AdmissionPolicy } from "./admission-policy";
import { Refusal } from "./refusal";
import { loadRelaySettings } from "./settings";
import type { RuleVerdict } from "./token-rules";

export interface ExplainOptions {
  readonly config: string;
  readonly tokenFile: string;
  readonly cluster: string;
  readonly right: Right;
}

export interface Explanation {
  readonly admitted: boolean;
  /** The rule or key that admits, where one does. */
  readonly rule?: string;
  readonly who?: string;
  /** Why the credential is none, where that is so; no rule has been asked then. */
  readonly refusal?: string;
  readonly rules: readonly RuleVerdict[];
}

/** Decides as the relay would, without a relay. Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID. */
export async function explainAdmission(options: ExplainOptions): Promise<Explanation> {
  const settings = loadRelaySettings(options.config);
  const clusters = new Map(settings.clusters.map((cluster) => [cluster.name.toLowerCase(), cluster]));
  const cluster = findEntity(options.cluster, clusters);
  if (cluster === undefined) {
    return { admitted: false, refusal: `no cluster is called ${options.cluster}`, rules: [] };
  }
  const credential = readToken(options.tokenFile);
  const policy = new AdmissionPolicy(settings, silentLogger);
  try {
    if (isSasToken(credential)) {
      const { rule, who } = await policy.admit(options.right, cluster, options.cluster, credential);
      return { admitted: true, rule, who, rules: [] };
    }
    const { token, verdicts } = await policy.explain(options.right, cluster, credential);
    const who = `${token.issuer} ${String(token.claims["sub"])}`;
    const admitting = verdicts.find(({ refusal }) => refusal === undefined);
    return admitting === undefined
      ? { admitted: false, who, rules: verdicts }
      : { admitted: true, rule: admitting.rule, who, rules: verdicts };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Whoever can read the configuration may know what it expects.
    const detail = error.details["detail"];
    const because = typeof detail === "string" && detail !== "" ? ` (${detail})` : "";
    return { admitted: false, refusal: `${error.sentence}${because}`, rules: [] };
  } finally {
    policy.close();
  }
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new ClusterConnectError("ERR_SETTINGS_UNREADABLE", messageOf(error), { cause: error });
  }
}

/** For people: a line a rule, and the decision. The token itself is never shown, only the claims that rules look at. */
export function explanationText({ admitted, rule, who, refusal, rules }: Explanation): string {
  const lines = rules.map(({ rule: name, refusal: why, claims }) => {
    const looked = Object.keys(claims).length === 0 ? "" : `   ${JSON.stringify(claims)}`;
    return `${name}: ${why ?? "lets it in"}${looked}`;
  });
  const decision = admitted
    ? `admitted by ${rule ?? ""}`
    : `refused: ${refusal ?? (rules.length === 0 ? "there is no rule" : "no rule lets it in")}`;
  return `${[...(who === undefined ? [] : [who]), ...lines, decision].join("\n")}\n`;
}
