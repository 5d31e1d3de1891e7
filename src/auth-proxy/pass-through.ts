/**
 * Tokens that the cluster itself has issued, such as a service account's: where the operator has said so, they go to
 * the apiserver in the place of the proxy's own credential, and nobody is impersonated. The proxy recognises them by
 * what they say and believes nothing of it: the apiserver, which signed them, is the one to check them, and a token
 * that only pretends gets its holder a 401 there.
 */
import { decodeJwt, type JWTPayload } from "jose";

export interface PassThroughSettings {
  /** The cluster's `--service-account-issuer`. */
  readonly issuer: string;
  /** The apiserver's `--api-audiences`; by default its issuer. */
  readonly audiences: readonly string[];
}

export interface PassedThrough {
  readonly kind: "passed-through";
  readonly token: string;
  /** As the token says. True only if the apiserver has accepted it. */
  readonly claimedSubject: string;
  /** Milliseconds since the epoch; Infinity for one that says nothing. */
  readonly expiresAtMs: number;
}

const maxSubjectCharacters = 512;

/** Undefined for a token of anybody else's, and for whatever is no JWT: the verifier says what is wrong with it. */
export function recognizePassThrough(
  token: string,
  settings: PassThroughSettings | undefined,
): PassedThrough | undefined {
  if (settings === undefined) return undefined;
  const claims = readUnverified(token);
  if (claims?.iss !== settings.issuer) return undefined;
  const presented: readonly unknown[] = [claims.aud].flat();
  if (!presented.some((audience) => settings.audiences.includes(audience as string))) return undefined;
  const { sub, exp } = claims;
  return {
    kind: "passed-through",
    token,
    claimedSubject: typeof sub === "string" ? sub.slice(0, maxSubjectCharacters) : "",
    expiresAtMs: typeof exp === "number" ? exp * 1_000 : Infinity,
  };
}

function readUnverified(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}
