import { finished } from "node:stream";
import type { ClusterConnectError } from "../runtime/errors";
import type { Exchange } from "./exchange";
import type { HeaderLines } from "./header-lines";
import { refusalOf, statusBody } from "./refusal";

/** Head lines and body of a refusal. */
export function refusalAnswer(error: ClusterConnectError): {
  status: number;
  lines: HeaderLines;
  body: string;
} {
  const refusal = refusalOf(error);
  const body = statusBody(error, refusal);
  return {
    status: refusal.status,
    body,
    lines: [
      ["Content-Type", "application/json"],
      ["Cache-Control", "no-cache, private"],
      ["Content-Length", String(Buffer.byteLength(body))],
      ...(refusal.retryAfterSeconds === undefined
        ? []
        : [["Retry-After", String(refusal.retryAfterSeconds)] as const]),
    ],
  };
}

/** Answers with a Status body. Returns the HTTP status. */
export function refuseExchange(
  exchange: Exchange,
  error: ClusterConnectError,
  uploadDrainMs: number,
): number {
  const { status, lines, body } = refusalAnswer(error);
  exchange.begin(status, lines);
  exchange.out.end(exchange.method === "HEAD" ? undefined : body);
  drainUpload(exchange, uploadDrainMs);
  return status;
}

/**
 * Reads and drops the rest of an upload for a while. To stop reading at once would reset the connection under the
 * answer, and the client would see the reset instead of it.
 */
export function drainUpload(exchange: Exchange, ms: number): void {
  const { body } = exchange;
  if (!exchange.hasBody || body.readableEnded || body.destroyed) return;
  const timer = setTimeout(() => exchange.cutUpload(), ms);
  finished(body, { writable: false }, () => clearTimeout(timer));
  body.unpipe();
  body.resume();
}
