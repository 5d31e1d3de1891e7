import type { ClusterConnectError, ErrorCode } from "../runtime/errors";

/** Failures that trying again does not mend. */
const permanentCodes: ReadonlySet<ErrorCode> = new Set([
  "ERR_OUTBOUND_PROXY_REFUSED",
  "ERR_RELAY_TOKEN_AUDIENCE",
  "ERR_RELAY_TOKEN_REFUSED",
  "ERR_RELAY_UNTRUSTED",
  "ERR_CLUSTER_CA_MISMATCH",
  "ERR_CLUSTER_UNTRUSTED",
  "ERR_CLUSTER_TOKEN_AUDIENCE",
  "ERR_CLUSTER_TOKEN_REFUSED",
  "ERR_CLUSTER_IDENTITY_REFUSED",
  "ERR_CLUSTER_ANSWER",
  "ERR_TUNNEL_WRONG_CLUSTER",
  "ERR_TUNNEL_VERSION",
]);

export const isPermanent = (error: ClusterConnectError): boolean => permanentCodes.has(error.code);
