/** Node's and OpenSSL's codes for a certificate that is not believed. */
const trustCodes: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Whether a thrown value, or what caused it, says that a certificate is not trusted. */
export function isTrustFailure(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { code, cause } = thrown as { code?: unknown; cause?: unknown };
  return (typeof code === "string" && trustCodes.has(code)) || isTrustFailure(cause);
}
