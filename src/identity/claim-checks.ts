import { ClusterConnectError } from "../runtime/errors";

type Claims = Readonly<Record<string, unknown>>;

/** The kube-apiserver's own leeway for `nbf`. It has none for `exp`. */
const notBeforeLeewayMs = 60_000;

/** At least one of the token's audiences is one of ours (MatchAny). */
export function checkAudience(claims: Claims, accepted: readonly string[]): void {
  const presented: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  const texts = presented.filter((audience) => typeof audience === "string");
  // A list that holds something else beside is no list of audiences.
  if (texts.length === presented.length && texts.some((audience) => accepted.includes(audience))) return;
  throw new ClusterConnectError("ERR_TOKEN_AUDIENCE", `expected ${accepted.join(" or ")}`);
}

/** Returns when the token expires, in milliseconds since the epoch. */
export function checkTimes(claims: Claims, nowMs: number): number {
  const expiresAtMs = instant(claims, "exp");
  if (expiresAtMs === undefined) throw new ClusterConnectError("ERR_TOKEN_CLAIM", "exp is required");
  if (expiresAtMs <= nowMs) {
    throw new ClusterConnectError("ERR_TOKEN_EXPIRED", `at ${isoTime(expiresAtMs)}`);
  }
  const notBeforeMs = claims.nbf === null ? undefined : instant(claims, "nbf");
  if (notBeforeMs !== undefined && notBeforeMs > nowMs + notBeforeLeewayMs) {
    throw new ClusterConnectError("ERR_TOKEN_NOT_YET_VALID", `before ${isoTime(notBeforeMs)}`);
  }
  return expiresAtMs;
}

/**
 * Registered claims are of their registered kind (RFC 7519 §4.1, OpenID Connect Core §2) or absent, used or not: an
 * issuer that is wrong about these is not believed about others. The kube-apiserver refuses such tokens too.
 */
export function checkRegisteredClaims(claims: Claims): void {
  for (const name of ["sub", "nonce", "at_hash"]) {
    const value = claims[name];
    if (value === undefined || value === null || typeof value === "string") continue;
    throw new ClusterConnectError("ERR_TOKEN_CLAIM", `${name} must be a string`);
  }
  instant(claims, "iat");
}

/** OpenID Connect Core §5.6.2: each claim that is said to be elsewhere has a source, and the source is described. */
export function checkClaimsElsewhere({ _claim_names: names, _claim_sources: sources }: Claims): void {
  if (names === undefined || names === null) return;
  const described = isObject(sources) ? sources : {};
  const isSound = isObject(names) && Object.values(names).every((name) => isSource(name, described));
  if (!isSound)
    throw new ClusterConnectError("ERR_TOKEN_CLAIM", "_claim_names names a source that is not described");
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSource = (name: unknown, sources: Readonly<Record<string, unknown>>) =>
  typeof name === "string" && Object.hasOwn(sources, name) && isObject(sources[name]);

/** A NumericDate (RFC 7519 §2) in milliseconds; stricter than the kube-apiserver, which also reads strings. */
function instant(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  // 8.64e12 s is the last instant that a Date can name.
  if (typeof value !== "number" || !Number.isFinite(value) || Math.abs(value) > 8.64e12) {
    throw new ClusterConnectError("ERR_TOKEN_CLAIM", `${name} must be a number of seconds`);
  }
  return value * 1_000;
}

const isoTime = (ms: number) => new Date(ms).toISOString();
