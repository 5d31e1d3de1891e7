/** A request's failure as Kubernetes clients understand it: an HTTP status and a metav1.Status body. */
import { type ClusterConnectError, type ErrorCode } from "../runtime/errors";

export interface Refusal {
  readonly status: number;
  /** metav1.StatusReason; clients decide by it. */
  readonly reason: string;
  /** client-go repeats any 429 or 5xx that carries Retry-After: only where the apiserver has seen nothing. */
  readonly retryAfterSeconds?: number;
}

const badRequest: Refusal = { status: 400, reason: "BadRequest" };
const unauthorized: Refusal = { status: 401, reason: "Unauthorized" };
const forbidden: Refusal = { status: 403, reason: "Forbidden" };
const unavailable: Refusal = { status: 503, reason: "ServiceUnavailable", retryAfterSeconds: 1 };

const refusals: Partial<Record<ErrorCode, Refusal>> = {
  ERR_AUTH_PROXY_NO_CREDENTIAL: unauthorized,
  ERR_TOKEN_MALFORMED: unauthorized,
  ERR_TOKEN_ISSUER_UNKNOWN: unauthorized,
  ERR_TOKEN_ALGORITHM: unauthorized,
  ERR_TOKEN_SIGNATURE: unauthorized,
  ERR_TOKEN_EXPIRED: unauthorized,
  ERR_TOKEN_NOT_YET_VALID: unauthorized,
  ERR_TOKEN_AUDIENCE: unauthorized,
  ERR_TOKEN_CLAIM: unauthorized,
  ERR_TOKEN_EXPRESSION: unauthorized,
  ERR_TOKEN_RULE: forbidden,
  ERR_IDENTITY_RULE: forbidden,
  ERR_ISSUER_KEYS_UNAVAILABLE: unavailable,
  ERR_IDENTITY_RESERVED: forbidden,
  ERR_IDENTITY_INVALID: forbidden,
  ERR_IDENTITY_GROUPS_OVERAGE: forbidden,
  ERR_IDENTITY_TOO_MANY_GROUPS: forbidden,
  ERR_AUTH_PROXY_AMBIGUOUS_CREDENTIAL: badRequest,
  ERR_AUTH_PROXY_MALFORMED_REQUEST: badRequest,
  ERR_AUTH_PROXY_REQUEST_TOO_LARGE: { status: 431, reason: "RequestHeaderFieldsTooLarge" },
  ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED: forbidden,
  ERR_AUTH_PROXY_IMPERSONATION_DENIED: forbidden,
  ERR_AUTH_PROXY_REVIEW_FAILED: { status: 503, reason: "ServiceUnavailable" },
  ERR_AUTH_PROXY_UPGRADE_REFUSED: forbidden,
  ERR_AUTH_PROXY_STREAM_EXPIRED: { status: 504, reason: "Timeout" },
  ERR_AUTH_PROXY_BUSY: { status: 429, reason: "TooManyRequests", retryAfterSeconds: 1 },
  ERR_APISERVER_UNREACHABLE: unavailable,
  ERR_APISERVER_LOST: { status: 502, reason: "InternalError" },
  ERR_APISERVER_REFUSED_PROXY: { status: 503, reason: "ServiceUnavailable" },
};

/** How a failure is answered; anything unforeseen is a 500, without Retry-After. */
export function refusalOf(error: ClusterConnectError): Refusal {
  return refusals[error.code] ?? { status: 500, reason: "InternalError" };
}

/** The `Status` body (k8s.io/apimachinery meta/v1). `details.causes[].reason` is our error code. */
export function statusBody(error: ClusterConnectError, refusal: Refusal): string {
  const { status, reason, retryAfterSeconds } = refusal;
  return JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `${error.hop}: ${error.message} (${error.code})`,
    reason,
    details: {
      causes: [{ reason: error.code, message: error.message }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
    code: status,
  });
}
