/** Decides who may listen and connect: default deny, by key or by token, each for one cluster. */
import { coversPath, isSasToken, isSignedBy, parseSasToken } from "../hybrid-connections/sas-token";
import { createTokenVerifier, type TokenVerifier, type VerifiedToken } from "../identity/token-verifier";
import { ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { Refusal } from "./refusal";
import { readKeyFile, type ClientRule, type ClusterSettings, type RelaySettings } from "./settings";

export type Right = "listen" | "send";

export interface Admission {
  readonly right: Right;
  /** Key name, or issuer and subject; for the log. */
  readonly who: string;
  readonly expiresAtMs: number;
  /** The claims that the decision rests on. */
  readonly claims: Readonly<Record<string, unknown>>;
}

interface Keys {
  readonly listen: ReadonlyMap<string, string>;
  readonly send: ReadonlyMap<string, string>;
}

export class AdmissionPolicy {
  readonly #verifier: TokenVerifier;
  readonly #keys: ReadonlyMap<string, Keys>;
  readonly #hosts: readonly string[];

  constructor(settings: RelaySettings, logger: Logger) {
    const { hostname, origin } = new URL(settings.publicUrl);
    this.#hosts = [hostname];
    this.#verifier = createTokenVerifier(settings.issuers, {
      defaultAudiences: [settings.audience ?? origin],
      logger,
    });
    const read = (keys: ClusterSettings["agents"]["keys"]) =>
      new Map(keys.map(({ name, keyFile }) => [name, readKeyFile(keyFile)]));
    this.#keys = new Map(
      settings.clusters.map(({ name, agents, clients }) => [
        name,
        { listen: read(agents.keys), send: read(clients.keys) },
      ]),
    );
  }

  /** Throws a Refusal: 401 for a credential that is none, 403 for one that does not reach here. */
  async admit(
    right: Right,
    cluster: ClusterSettings,
    path: string,
    authorization?: string,
  ): Promise<Admission> {
    if (authorization === undefined || authorization === "") {
      throw new Refusal(401, "A token is required", "no_token");
    }
    return isSasToken(authorization)
      ? this.#admitSignature(right, cluster, path, authorization)
      : this.#admitToken(right, cluster, authorization);
  }

  close(): void {
    this.#verifier.close();
  }

  #admitSignature(right: Right, cluster: ClusterSettings, path: string, authorization: string): Admission {
    const token = parseSasToken(authorization);
    if (token === undefined) throw new Refusal(401, "The token is malformed", "token_malformed");
    const keys = this.#keys.get(cluster.name);
    const key = keys?.[right].get(token.keyName);
    const otherKey = keys?.[right === "listen" ? "send" : "listen"].get(token.keyName);
    const isSigned = [key, otherKey].some((known) => known !== undefined && isSignedBy(token, known));
    if (!isSigned) throw new Refusal(401, "The token has an invalid signature", "token_signature");
    if (token.expiresAtMs <= Date.now()) throw new Refusal(401, "The token has expired", "token_expired");
    if (!coversPath(token, this.#hosts, path)) {
      throw new Refusal(403, "The token is for another endpoint", "token_audience");
    }
    if (key === undefined || !isSignedBy(token, key)) {
      throw new Refusal(403, `The token's key may not ${right} here`, "right_missing");
    }
    return { right, who: `key ${token.keyName}`, expiresAtMs: token.expiresAtMs, claims: {} };
  }

  async #admitToken(right: Right, cluster: ClusterSettings, authorization: string): Promise<Admission> {
    const token = await this.#verify(authorization.replace(/^Bearer /i, ""));
    const who = `${token.issuer} ${String(token.claims["sub"])}`;
    const claims = right === "listen" ? matchAgent(token, cluster) : matchClient(token, cluster);
    if (claims === undefined) {
      throw new Refusal(403, `No rule lets this identity ${right} here`, "no_rule");
    }
    return { right, who, expiresAtMs: token.expiresAtMs, claims };
  }

  async #verify(token: string): Promise<VerifiedToken> {
    try {
      return await this.#verifier.verify(token);
    } catch (error) {
      if (!(error instanceof ClusterConnectError)) throw error;
      if (error.code === "ERR_ISSUER_KEYS_UNAVAILABLE") {
        throw new Refusal(503, "The issuer's keys are not available", "issuer_unavailable");
      }
      throw new Refusal(401, `The token is not accepted: ${error.message}`, error.code.toLowerCase());
    }
  }
}

function matchAgent(token: VerifiedToken, cluster: ClusterSettings): Admission["claims"] | undefined {
  const subject = token.claims["sub"];
  const matches = cluster.agents.serviceAccounts.some(
    (account) => account.issuer === token.issuer && account.subject === subject,
  );
  return matches ? { sub: subject } : undefined;
}

function matchClient(token: VerifiedToken, cluster: ClusterSettings): Admission["claims"] | undefined {
  const rule = cluster.clients.allow.find((candidate) => ruleMatches(candidate, token));
  if (rule === undefined) return undefined;
  return Object.fromEntries(Object.keys(rule.claims).map((name) => [name, token.claims[name]]));
}

/** Every claim of the rule is in the token with that very value: no prefix, no pattern, no conversion of kinds. */
function ruleMatches(rule: ClientRule, token: VerifiedToken): boolean {
  if (rule.issuer !== token.issuer) return false;
  return Object.entries(rule.claims).every(([name, wanted]) => {
    if (!Object.hasOwn(token.claims, name)) return false;
    const accepted: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    return accepted.includes(token.claims[name]);
  });
}
