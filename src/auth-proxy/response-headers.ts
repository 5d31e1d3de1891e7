import type { HeaderLines } from "./header-lines";
import { elementsOf } from "./header-lines";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** An apiserver's answer without what concerned only its own connection; order and repetition are kept. */
export function endToEndLines(lines: HeaderLines): HeaderLines {
  const nominated = new Set(elementsOf(lines, "connection").map((name) => name.toLowerCase()));
  return lines.filter(([name]) => !hopByHop.has(name.toLowerCase()) && !nominated.has(name.toLowerCase()));
}

/**
 * Whether the end of a response can be told from its loss. One that ends with its connection cannot: Node reports
 * a TLS close_notify and a bare end of the connection alike (RFC 9112 §9.8 calls the second one incomplete).
 */
export function isSelfDelimited(method: string, status: number, lines: HeaderLines): boolean {
  if (method === "HEAD" || status === 204 || status === 304) return true;
  return (
    elementsOf(lines, "transfer-encoding").at(-1)?.toLowerCase() === "chunked" ||
    elementsOf(lines, "content-length").length > 0
  );
}
