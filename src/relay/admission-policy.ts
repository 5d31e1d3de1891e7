/** Decides who may listen and connect: default deny, by key or by token, each for one cluster. */
import { isSasToken } from "../hybrid-connections/sas-token";
import { createTokenVerifier, type TokenVerifier, type VerifiedToken } from "../identity/token-verifier";
import { ClusterConnectError, errorRegistry } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Admission, Right } from "./admission";
import { KeyRing } from "./key-ring";
import { Refusal } from "./refusal";
import type { ClusterSettings, RelaySettings } from "./settings";
import { claimsThatDecide, matchingClaims } from "./token-rules";

export class AdmissionPolicy {
  readonly #verifier: TokenVerifier;
  readonly #keys: KeyRing;

  /** Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID for keys and issuers that cannot be used. */
  constructor(settings: RelaySettings, logger: Logger) {
    const { origin } = new URL(settings.publicUrl);
    this.#keys = new KeyRing(settings);
    this.#verifier = createTokenVerifier(settings.issuers, {
      defaultAudiences: [settings.audience ?? origin],
      logger,
    });
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
      ? this.#keys.admit(right, cluster, path, authorization)
      : this.#admitToken(right, cluster, authorization.replace(/^Bearer /i, ""));
  }

  close(): void {
    this.#verifier.close();
  }

  async #admitToken(right: Right, cluster: ClusterSettings, authorization: string): Promise<Admission> {
    const token = await this.#verify(authorization);
    const who = `${token.issuer} ${String(token.claims["sub"])}`;
    const claims = matchingClaims(right, token, cluster);
    if (claims === undefined) {
      const details = { who, claims: claimsThatDecide(right, token, cluster) };
      throw new Refusal(403, `No rule lets this identity ${right} here`, "no_rule", details);
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
