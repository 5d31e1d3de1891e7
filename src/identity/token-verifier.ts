import { compactVerify, decodeJwt, decodeProtectedHeader, errors as joseErrors, type JWK } from "jose";
import { ClusterConnectError } from "../runtime/errors";
import { silentLogger, type Logger } from "../runtime/logger";
import { checkAudience, checkClaimsElsewhere, checkRegisteredClaims, checkTimes } from "./claim-checks";
import type { IssuerSettings } from "./configuration/schema";
import { createEntryMapper, type EntryMapper } from "./entry-mapper";
import { defaultIdentityPolicy, type IdentityPolicy } from "./identity-policy";
import { KeyCache } from "./key-cache";
import { createKeyLoader } from "./key-loader";
import { tokenLimits, type TokenLimits } from "./token-limits";
import { VerifiedCache } from "./verified-cache";
import type { VerifiedToken } from "./verified-token";

export type { VerifiedToken };

/** What the kube-apiserver accepts: asymmetric algorithms only, so that no published key can sign. */
export const acceptedAlgorithms = ["RS", "PS", "ES"].flatMap((kind) =>
  [256, 384, 512].map((bits) => `${kind}${String(bits)}`),
);

export interface TokenVerifier {
  /**
   * Signature, issuer, audience, times, the entry's rules, and what its mappings make of the claims. Throws a
   * ClusterConnectError with a code of `errors/identity.ts`.
   */
  verify(token: string): Promise<VerifiedToken>;
  /**
   * Trusts these issuers from now on, and no others. Keys of those that stay the same are kept; no token is remembered
   * as good. Throws ERR_SETTINGS_INVALID, and changes nothing then.
   */
  replace(issuers: readonly IssuerSettings[]): void;
  /** Stops the background refresh of keys. */
  close(): void;
}

export interface TokenVerifierOptions {
  /** For entries that name no audience of their own. Never taken from a request. */
  readonly defaultAudiences?: readonly string[];
  readonly limits?: Partial<TokenLimits>;
  readonly policy?: IdentityPolicy;
  readonly logger?: Logger;
  readonly now?: () => number;
}

interface Trusted {
  readonly settings: IssuerSettings;
  readonly audiences: readonly string[];
  readonly keys: KeyCache;
  readonly mapper: EntryMapper;
}

/** Throws ERR_SETTINGS_INVALID for an issuer that would accept tokens made for anybody. The entries are validated. */
export function createTokenVerifier(
  issuers: readonly IssuerSettings[],
  options: TokenVerifierOptions = {},
): TokenVerifier {
  const limits = tokenLimits.parse(options.limits ?? {});
  const now = options.now ?? Date.now;
  const issuersTrusted = new TrustedIssuers(limits, options);
  issuersTrusted.replace(issuers);
  let cache = new VerifiedCache(limits);
  return {
    async verify(token) {
      const remembered = cache;
      const known = remembered.get(token, now());
      if (known !== undefined) return known;
      const { alg, kid, issuer } = readUnverified(token, limits.maxTokenBytes);
      const entry = issuersTrusted.find(issuer);
      if (!acceptedAlgorithms.includes(alg)) throw new ClusterConnectError("ERR_TOKEN_ALGORITHM", alg);
      const claims = await verifyByIssuer(token, alg, kid, entry.keys);
      checkRegisteredClaims(claims);
      checkAudience(claims, entry.audiences);
      const expiresAtMs = checkTimes(claims, now());
      // First, since it says more: groups that are elsewhere are refused as what they are.
      const identity = entry.mapper.map(claims);
      checkClaimsElsewhere(claims);
      const verified = { issuer, claims, expiresAtMs, settings: entry.settings, identity };
      remembered.set(token, verified, now());
      return verified;
    },
    replace(next) {
      issuersTrusted.replace(next);
      // A check that is under way writes into the old one, and is forgotten with it.
      cache = new VerifiedCache(limits);
    },
    close: () => issuersTrusted.close(),
  };
}

class TrustedIssuers {
  #byUrl: ReadonlyMap<string, Trusted> = new Map();

  constructor(
    private readonly limits: TokenLimits,
    private readonly options: TokenVerifierOptions,
  ) {}

  find(issuer: string): Trusted {
    const entry = this.#byUrl.get(issuer);
    if (entry === undefined)
      throw new ClusterConnectError("ERR_TOKEN_ISSUER_UNKNOWN", JSON.stringify(issuer));
    return entry;
  }

  replace(issuers: readonly IssuerSettings[]): void {
    const next = new Map(issuers.map((settings) => [settings.issuer.url, this.#trust(settings)]));
    const kept = new Set([...next.values()].map(({ keys }) => keys));
    for (const { keys } of this.#byUrl.values()) if (!kept.has(keys)) keys.close();
    this.#byUrl = next;
  }

  close(): void {
    for (const { keys } of this.#byUrl.values()) keys.close();
  }

  #trust(settings: IssuerSettings): Trusted {
    const { issuer } = settings;
    const { defaultAudiences = [], policy = defaultIdentityPolicy, logger = silentLogger } = this.options;
    const audiences = issuer.audiences.length > 0 ? issuer.audiences : defaultAudiences;
    if (audiences.length === 0) {
      throw new ClusterConnectError("ERR_SETTINGS_INVALID", `issuer ${issuer.url} has no audience`);
    }
    const { maxExpressionCost, keyRefreshMs, keyCooldownMs } = this.limits;
    const mapper = createEntryMapper(settings, { policy, maxExpressionCost });
    const before = this.#byUrl.get(issuer.url);
    if (before !== undefined && isSameSource(before.settings.issuer, issuer)) {
      return { settings, audiences, keys: before.keys, mapper };
    }
    const keys = new KeyCache({
      load: createKeyLoader(issuer, this.limits),
      refreshMs: keyRefreshMs,
      cooldownMs: keyCooldownMs,
      logger: logger.child({ issuer: issuer.url }),
    });
    return { settings, audiences, keys, mapper };
  }
}

/** Whether the keys come from the same place as before; which audiences are accepted is nothing to them. */
const isSameSource = (before: IssuerSettings["issuer"], now: IssuerSettings["issuer"]): boolean =>
  JSON.stringify({ ...before, audiences: [] }) === JSON.stringify({ ...now, audiences: [] });

/** What decides which issuer's keys to try. Nothing here is believed before the signature has been checked. */
function readUnverified(
  token: string,
  maxBytes: number,
): { alg: string; kid: string | undefined; issuer: string } {
  if (Buffer.byteLength(token) > maxBytes) {
    throw new ClusterConnectError("ERR_TOKEN_MALFORMED", `longer than ${String(maxBytes)} bytes`);
  }
  try {
    const header = decodeProtectedHeader(token);
    const issuer = decodeJwt(token).iss;
    // RFC 7515 §4.1.11: an extension that must be understood, and is not, makes the token invalid.
    if (header.crit !== undefined) throw new Error("crit is not supported");
    if (typeof issuer !== "string") throw new Error("no iss");
    if (header.kid !== undefined && typeof header.kid !== "string") throw new Error("kid is not a string");
    // An empty kid names no key, as at the kube-apiserver: every key is tried.
    return { alg: String(header.alg), kid: header.kid === "" ? undefined : header.kid, issuer };
  } catch (error) {
    // jose's messages describe the token's shape and never quote it.
    throw new ClusterConnectError("ERR_TOKEN_MALFORMED", "", { cause: error });
  }
}

/** Tries the keys at hand, then, when it is not too early to ask for them, the issuer's keys of now. */
async function verifyByIssuer(
  token: string,
  alg: string,
  kid: string | undefined,
  keys: KeyCache,
): Promise<Readonly<Record<string, unknown>>> {
  const known = await keys.find(kid);
  try {
    return await verifySignature(token, alg, known);
  } catch (error) {
    const anew = known.length === 0 ? undefined : await keys.findAnew(kid);
    if (anew === undefined) throw error;
    return verifySignature(token, alg, anew);
  }
}

/** The claims, once one of `keys` fits. A key of another kind than `alg` asks for is passed over, never bent. */
async function verifySignature(
  token: string,
  alg: string,
  keys: readonly JWK[],
): Promise<Readonly<Record<string, unknown>>> {
  for (const key of keys) {
    try {
      const { payload } = await compactVerify(token, key, { algorithms: [alg] });
      return JSON.parse(Buffer.from(payload).toString("utf8")) as Record<string, unknown>;
    } catch (error) {
      const isWrongKey =
        error instanceof joseErrors.JWSSignatureVerificationFailed ||
        error instanceof joseErrors.JOSENotSupported ||
        error instanceof TypeError ||
        error instanceof DOMException;
      if (!isWrongKey) throw new ClusterConnectError("ERR_TOKEN_SIGNATURE", "", { cause: error });
    }
  }
  throw new ClusterConnectError("ERR_TOKEN_SIGNATURE", keys.length === 0 ? "unknown key id" : "");
}
