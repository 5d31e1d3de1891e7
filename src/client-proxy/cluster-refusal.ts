/** What a refusal by responder, auth proxy or apiserver means. */
import { readUnverifiedClaims } from "../credentials/jwt-claims";
import { ClusterConnectError, isErrorCode, type ErrorCode } from "../runtime/errors";
import type { ClusterRefusal } from "./backend";

/** Responder and auth proxy name our code in the Status; anything else answered for itself, by its status. */
export function explainClusterRefusal(refusal: ClusterRefusal, token: string): ClusterConnectError {
  const cause = refusal.causes.find(isErrorCode);
  const detail = `status ${String(refusal.status)} ${refusal.message}`.trim();
  if (cause !== "ERR_TOKEN_AUDIENCE") return new ClusterConnectError(codeOf(refusal.status, cause), detail);
  const audience = JSON.stringify(readUnverifiedClaims(token)?.aud) ?? "none";
  return new ClusterConnectError(
    "ERR_CLUSTER_TOKEN_AUDIENCE",
    `the token's audience is ${audience}; ${detail}`,
  );
}

function codeOf(status: number, cause: ErrorCode | undefined): ErrorCode {
  if (status === 401) return "ERR_CLUSTER_TOKEN_REFUSED";
  if (status === 403) return "ERR_CLUSTER_IDENTITY_REFUSED";
  if (cause !== undefined) return cause;
  return status >= 500 || status === 429 ? "ERR_APISERVER_UNREACHABLE" : "ERR_CLUSTER_ANSWER";
}
