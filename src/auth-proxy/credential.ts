import { ClusterConnectError } from "../runtime/errors";
import { elementsOf, valuesOf, type HeaderLines } from "./header-lines";

/** RFC 6455 has no room for headers in a browser: Kubernetes lets a token travel as a subprotocol. */
const bearerProtocolPrefix = "base64url.bearer.authorization.k8s.io.";

/**
 * The one credential of a request; undefined when it has none. Parsed once, from the raw lines, and handed on as a
 * value: two readers of one header are two opinions on who the caller is.
 */
export function parseCredential(lines: HeaderLines): string | undefined {
  const authorizations = valuesOf(lines, "authorization");
  const inProtocol = elementsOf(lines, "sec-websocket-protocol").filter(isBearerProtocol);
  if (authorizations.length + inProtocol.length > 1) {
    throw new ClusterConnectError("ERR_AUTH_PROXY_AMBIGUOUS_CREDENTIAL");
  }
  const [authorization] = authorizations;
  if (authorization !== undefined) return bearerToken(authorization);
  const [protocol] = inProtocol;
  return protocol === undefined ? undefined : tokenInProtocol(protocol);
}

/** True for the subprotocol that carries a token and must never go further than here. */
export function isBearerProtocol(protocol: string): boolean {
  return protocol.toLowerCase().startsWith(bearerProtocolPrefix);
}

/** RFC 6750 §2.1; the scheme's name is case-insensitive (RFC 9110 §11.1). */
function bearerToken(authorization: string): string {
  const [, token] = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization) ?? [];
  if (token !== undefined) return token;
  throw new ClusterConnectError("ERR_AUTH_PROXY_NO_CREDENTIAL", "Authorization is not a Bearer token");
}

function tokenInProtocol(protocol: string): string {
  const encoded = protocol.slice(bearerProtocolPrefix.length);
  const token = Buffer.from(encoded, "base64url").toString("latin1");
  if (/^[\w-]+$/.test(encoded) && /^[\w.~+/-]+=*$/.test(token)) return token;
  throw new ClusterConnectError("ERR_AUTH_PROXY_NO_CREDENTIAL", "the subprotocol's token is not base64url");
}
