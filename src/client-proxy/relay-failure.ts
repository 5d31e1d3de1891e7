/** What a failed attempt to reach the relay means, by status and Node's codes; never by text. */
import { HandshakeRefused } from "../hybrid-connections/handshake-refused";
import { readUnverifiedClaims } from "../credentials/jwt-claims";
import { ClusterConnectError, messageOf, type ErrorCode } from "../runtime/errors";
import { isTrustFailure } from "./trust-failure";

/** Failures that trying again does not mend. */
const permanentCodes: ReadonlySet<ErrorCode> = new Set([
  "ERR_OUTBOUND_PROXY_REFUSED",
  "ERR_RELAY_TOKEN_REFUSED",
  "ERR_RELAY_UNTRUSTED",
  "ERR_CLUSTER_CA_MISMATCH",
  "ERR_CLUSTER_UNTRUSTED",
  "ERR_CLUSTER_TOKEN_REFUSED",
  "ERR_CLUSTER_IDENTITY_REFUSED",
  "ERR_CLUSTER_ANSWER",
  "ERR_TUNNEL_WRONG_CLUSTER",
  "ERR_TUNNEL_VERSION",
]);

export const isPermanent = (error: ClusterConnectError): boolean => permanentCodes.has(error.code);

export function explainRelayFailure(thrown: unknown, authorization: string): ClusterConnectError {
  if (thrown instanceof ClusterConnectError) return thrown;
  if (thrown instanceof HandshakeRefused) {
    return new ClusterConnectError(codeOfStatus(thrown.status), detailOf(thrown, authorization), {
      cause: thrown,
    });
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

/** The relay's own words and, for a refused token, the claims to compare its rules with: they are not secret. */
function detailOf(refused: HandshakeRefused, authorization: string): string {
  const claims =
    refused.status === 401 || refused.status === 403 ? readUnverifiedClaims(authorization) : undefined;
  if (claims === undefined) return refused.message;
  const { iss, sub, aud } = claims;
  return `${refused.message} [issuer ${show(iss)}, subject ${show(sub)}, audience ${show(aud)}]`;
}

const show = (claim: unknown): string => JSON.stringify(claim) ?? "none";
