import type { IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";

/** Where a connection comes from: for logs, for bounds a source, and for the listener's `remoteEndpoint`. */
export interface SourceAddress {
  readonly address: string;
  readonly port: number;
}

/** The address as people write it: an IPv4 one that came over an IPv6 socket without `::ffff:`. */
export function socketSource(socket: Socket): SourceAddress {
  const address = socket.remoteAddress ?? "";
  return { address: address.replace(/^::ffff:(?=\d+\.)/i, ""), port: socket.remotePort ?? 0 };
}

/**
 * The source of a request. Behind a balancer that is the last entry of `X-Forwarded-For`, which the balancer has
 * appended itself; what stands before it is the caller's own claim. Otherwise the header is not looked at.
 */
export function requestSource(
  request: IncomingMessage,
  socket: Socket,
  isBehindProxy: boolean,
): SourceAddress {
  const header = request.headers["x-forwarded-for"];
  const last = isBehindProxy && typeof header === "string" ? header.split(",").at(-1)?.trim() : undefined;
  return last !== undefined && isIP(last) !== 0 ? { address: last, port: 0 } : socketSource(socket);
}
