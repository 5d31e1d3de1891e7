/**
 * Looks into a JWT without verifying it: whoever is shown the token verifies it. Only for a token's life and for
 * messages.
 */
export interface UnverifiedClaims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly iat?: unknown;
}

/** The payload of a compact JWT, or undefined for any other text. */
export function readUnverifiedClaims(token: string): UnverifiedClaims | undefined {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `exp − iat`, in milliseconds. Never counted from `nbf`, which some issuers set ten minutes back, nor compared with
 * the local clock, which may differ from the issuer's.
 */
export function lifetimeOf(token: string): number | undefined {
  const claims = readUnverifiedClaims(token);
  if (typeof claims?.exp !== "number" || typeof claims.iat !== "number") return undefined;
  const lifetimeMs = (claims.exp - claims.iat) * 1_000;
  return lifetimeMs > 0 ? lifetimeMs : undefined;
}
