import { METHODS } from "node:http";
import { ClusterConnectError } from "../runtime/errors";
import type { Exchange } from "./exchange";
import { valuesOf } from "./header-lines";
import { isImpersonationHeader, isKnownImpersonationHeader } from "./wanted-user";

/** CONNECT names a host; a host never comes from the wire. */
const methods = new Set(METHODS.filter((method) => method !== "CONNECT"));

const malformed = (detail: string) => new ClusterConnectError("ERR_AUTH_PROXY_MALFORMED_REQUEST", detail);

/**
 * First step of the pipeline: refuses what no Kubernetes client sends, before anything is looked up. Names are
 * quoted in the message, values never.
 */
export function checkBounds(
  request: Pick<Exchange, "protocol" | "method" | "target" | "lines">,
  limits: { readonly headers: number },
  rules: { readonly nested: boolean } = { nested: false },
): void {
  const { protocol, method, target, lines } = request;
  if (lines.length > limits.headers) {
    throw new ClusterConnectError(
      "ERR_AUTH_PROXY_REQUEST_TOO_LARGE",
      `more than ${String(limits.headers)} header lines`,
    );
  }
  // RFC 9112 §3.2; in HTTP/2 it is :authority's place.
  if (protocol === "HTTP/1.1" && valuesOf(lines, "host").length !== 1) throw malformed("not one Host");
  // HTTP/2 takes any word. Node would send "get" upstream as GET, which is not what was looked up for the caller.
  if (!methods.has(method)) throw malformed("a method that no request to the apiserver has");
  // Absolute-form (RFC 9112 §3.2.2) names a host.
  if (!target.startsWith("/")) throw malformed("the request target is not a path");
  // llhttp and nghttp2 let bytes above 0x7F through; the request line that goes upstream is ASCII.
  if (/[^\x21-\x7e]/.test(target)) throw malformed("the request target holds a byte outside printable ASCII");
  for (const [name] of lines) checkName(name, rules.nested);
}

function checkName(name: string, mayImpersonate: boolean): void {
  // The key of an extra holds dots and escapes; it is read by itself and never passed on under this name.
  if (mayImpersonate && isKnownImpersonationHeader(name.toLowerCase())) return;
  // An underscore or a dot in a name is another header here and the same one to some gateway further on.
  if (!/^[A-Za-z0-9-]+$/.test(name)) throw malformed(`header name ${JSON.stringify(name)}`);
  const lower = name.toLowerCase();
  if (isImpersonationHeader(lower)) {
    if (mayImpersonate) throw malformed(`header ${name}`);
    throw new ClusterConnectError("ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED", `header ${name}`);
  }
  if (lower.startsWith("x-remote-")) throw malformed(`header ${name}`);
}
