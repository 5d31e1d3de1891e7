/** Decides who may listen and connect: default deny, by key or by token, each for one cluster. */
import { isSasToken } from "../hybrid-connections/sas-token";
import { createTokenVerifier, type TokenVerifier, type VerifiedToken } from "../identity/token-verifier";
import { ClusterConnectError, errorRegistry } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Admission, Right } from "./admission";
import { KeyRing } from "./key-ring";
import { Refusal } from "./refusal";
import type { ClusterSettings, RelaySettings } from "./settings";
import { TokenRules, type RuleVerdict } from "./token-rules";

/** What a configuration makes of credentials; replaced as a whole. */
interface Decider {
  readonly keys: KeyRing;
  readonly rules: ReadonlyMap<string, TokenRules>;
  readonly issuers: ReadonlySet<string>;
}

export class AdmissionPolicy {
  readonly #verifier: TokenVerifier;
  readonly #maxCost: number;
  #decider: Decider;

  /** Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID for keys and issuers that cannot be used. */
  constructor(settings: RelaySettings, logger: Logger) {
    const { origin } = new URL(settings.publicUrl);
    const { tokenLimits: limits } = settings;
    this.#maxCost = limits.maxExpressionCost;
    this.#decider = this.#deciderOf(settings);
    this.#verifier = createTokenVerifier(settings.issuers, {
      defaultAudiences: [settings.audience ?? origin],
      limits,
      logger,
    });
  }

  /**
   * Decides by these issuers, clusters and keys from now on. Throws as the constructor does, and goes on by the old
   * ones then.
   */
  replace(settings: RelaySettings): void {
    const decider = this.#deciderOf(settings);
    this.#verifier.replace(settings.issuers);
    this.#decider = decider;
  }

  /** Whether whoever was let in would be let in by the configuration of now, with what he showed then. */
  stillAdmits({ right, cluster, basis }: Admission): boolean {
    const { keys, rules, issuers } = this.#decider;
    if (basis.kind === "key") return keys.has(right, cluster, basis.name, basis.key);
    return issuers.has(basis.issuer) && rules.get(cluster)?.match(right, basis) !== undefined;
  }

  /** Throws a Refusal: 401 for a credential that is none, 403 for one that does not reach here. */
  async admit(
    right: Right,
    cluster: ClusterSettings,
    path: string,
    authorization: string | undefined,
  ): Promise<Admission> {
    if (authorization === undefined || authorization === "") {
      throw new Refusal(401, "A token is required", "no_token");
    }
    return isSasToken(authorization)
      ? this.#decider.keys.admit(right, cluster, path, authorization)
      : this.#admitToken(right, cluster, authorization.replace(/^Bearer /i, ""));
  }

  /** What the credential is and what every rule of the cluster makes of it. Throws a Refusal when it is none. */
  async explain(
    right: Right,
    cluster: ClusterSettings,
    authorization: string,
  ): Promise<{ readonly token: VerifiedToken; readonly verdicts: readonly RuleVerdict[] }> {
    const token = await this.#verify(authorization.replace(/^Bearer /i, ""));
    return { token, verdicts: this.#decider.rules.get(cluster.name)?.explain(right, token) ?? [] };
  }

  close(): void {
    this.#verifier.close();
  }

  async #admitToken(right: Right, cluster: ClusterSettings, authorization: string): Promise<Admission> {
    const token = await this.#verify(authorization);
    const who = `${token.issuer} ${String(token.claims["sub"])}`;
    const rules = this.#decider.rules.get(cluster.name);
    const verdict = rules?.match(right, token);
    if (rules === undefined || verdict === undefined) {
      const details = { who, claims: rules?.claimsThatDecide(right, token) ?? {} };
      throw new Refusal(403, `No rule lets this identity ${right} here`, "no_rule", details);
    }
    const { rule, claims } = verdict;
    const { issuer, expiresAtMs } = token;
    const basis = { kind: "token", issuer, claims: rules.claimsToKeep(right, token) } as const;
    return { right, cluster: cluster.name, who, identity: who, expiresAtMs, rule, claims, basis };
  }

  #deciderOf(settings: RelaySettings): Decider {
    return {
      keys: new KeyRing(settings),
      rules: new Map(
        settings.clusters.map((cluster) => [cluster.name, new TokenRules(cluster, this.#maxCost)]),
      ),
      issuers: new Set(settings.issuers.map(({ issuer }) => issuer.url)),
    };
  }

  async #verify(token: string): Promise<VerifiedToken> {
    try {
      return await this.#verifier.verify(token);
    } catch (error) {
      if (!(error instanceof ClusterConnectError)) throw error;
      if (error.code === "ERR_ISSUER_KEYS_UNAVAILABLE") {
        throw new Refusal(503, "The issuer's keys are not available", "issuer_unavailable");
      }
      throw refusalOf(error);
    }
  }
}

/**
 * Whoever holds a token of a trusted issuer is anybody on GitHub: which audiences are configured here is told to the
 * operator's log. The times, the issuer and the claim that the other errors name are the token's own.
 */
function refusalOf(error: ClusterConnectError): Refusal {
  const { code, detail, message } = error;
  const said = code === "ERR_TOKEN_AUDIENCE" ? errorRegistry[code].summary : message;
  return new Refusal(401, `The token is not accepted: ${said}`, code.toLowerCase(), { detail }, code);
}
