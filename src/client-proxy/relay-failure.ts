/** What a failed attempt to reach the relay means, by status and Node's codes; never by text. */
import { HandshakeRefused } from "../hybrid-connections/handshake-refused";
import { parseSasToken } from "../hybrid-connections/sas-token";
import { readUnverifiedClaims } from "../credentials/jwt-claims";
import { ClusterConnectError, messageOf, type ErrorCode } from "../runtime/errors";
import { isTrustFailure } from "./trust-failure";

/** What was sent, and where to. */
export interface RelayAttempt {
  readonly relayUrl: URL;
  readonly authorization: string;
}

export function explainRelayFailure(thrown: unknown, attempt: RelayAttempt): ClusterConnectError {
  if (thrown instanceof ClusterConnectError) return thrown;
  if (thrown instanceof HandshakeRefused) {
    const isAudience = thrown.code === "ERR_TOKEN_AUDIENCE";
    const code = isAudience ? "ERR_RELAY_TOKEN_AUDIENCE" : codeOfStatus(thrown.status);
    const detail = isAudience ? audienceDetail(thrown, attempt) : detailOf(thrown, attempt.authorization);
    return new ClusterConnectError(code, detail, { cause: thrown });
  }
  const code = isTrustFailure(thrown) ? "ERR_RELAY_UNTRUSTED" : "ERR_RELAY_UNREACHABLE";
  return new ClusterConnectError(code, messageOf(thrown), { cause: thrown });
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401 || status === 403) return "ERR_RELAY_TOKEN_REFUSED";
  // 404: no listener, or no such cluster; 504: a listener that did not come; 502: one that failed.
  if (status === 404 || status === 504 || status === 502) return "ERR_AGENT_NOT_CONNECTED";
  if (status === 503 || status === 429) return "ERR_RELAY_BUSY";
  return "ERR_RELAY_UNREACHABLE";
}

/** The audience that was sent beside the one that a relay has unless it was given another. */
function audienceDetail(refused: HandshakeRefused, { relayUrl, authorization }: RelayAttempt): string {
  const signature = parseSasToken(authorization);
  if (signature !== undefined) {
    return `the signature is for ${decodeURIComponent(signature.rawResource)}; ${refused.message}`;
  }
  const { origin } = relayUrl;
  const audience = readUnverifiedClaims(authorization)?.aud;
  const wanted =
    audience === origin
      ? "that is relay-url's origin, but the relay knows itself by another one or has an audience of its own"
      : `a relay wants its own origin, here ${origin}, unless it has an audience of its own`;
  return `the token's audience is ${show(audience)}; ${wanted}; ${refused.message}`;
}

/** The relay's own words and, for a refused token, the claims to compare its rules with: they are not secret. */
function detailOf(refused: HandshakeRefused, authorization: string): string {
  const claims =
    refused.status === 401 || refused.status === 403 ? readUnverifiedClaims(authorization) : undefined;
  if (claims === undefined) return refused.message;
  const { iss, sub, aud } = claims;
  return `${refused.message} [issuer ${show(iss)}, subject ${show(sub)}, audience ${show(aud)}]`;
}

const show = (claim: unknown): string => JSON.stringify(claim) ?? "none";
