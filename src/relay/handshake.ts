import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { parseTarget, type Target } from "../hybrid-connections/addresses";
import { Refusal } from "./refusal";

/** A WebSocket handshake that has been read and checked, and not yet answered. */
export interface Handshake {
  readonly target: Target;
  readonly socket: Socket;
  /** Bytes that came behind the handshake. */
  readonly head: Buffer;
  readonly key: string;
  readonly request: IncomingMessage;
  /** Whose address it came from. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly authorization: string | undefined;
}

/** Checks what RFC 6455 §4.2.1 asks of a client's handshake. Throws a Refusal. */
export function readHandshake(request: IncomingMessage, socket: Socket, head: Buffer): Handshake {
  const target = parseTarget(request.url ?? "");
  if (target === undefined) throw new Refusal(404, "Endpoint does not exist", "no_endpoint");
  const { headers } = request;
  const key = headers["sec-websocket-key"];
  const isWebSocket =
    request.method === "GET" &&
    headers.upgrade?.toLowerCase() === "websocket" &&
    headers["sec-websocket-version"] === "13" &&
    key !== undefined &&
    /^[A-Za-z0-9+/]{22}==$/.test(key);
  if (!isWebSocket) {
    throw new Refusal(400, "This endpoint is only for web-socket requests", "not_websocket");
  }
  const header = headers["servicebusauthorization"];
  return {
    target,
    socket,
    head,
    key,
    request,
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    authorization: typeof header === "string" ? header : target.token,
  };
}

/**
 * A listener on `ws` 1.x, whose key is base64 of `13-` and a clock. A refused one comes back at once and twice, so
 * that a storm follows from a single refusal.
 */
export const isStormProne = (handshake: Handshake): boolean => handshake.key.startsWith("MTMt");

/** The handshake's headers for the `accept` message: as sent, without the sender's credential. */
export function connectHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    const value = request.rawHeaders[index + 1] ?? "";
    if (/^(servicebusauthorization|authorization)$/i.test(name) || name === "__proto__") continue;
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name] ?? ""}, ${value}` : value;
  }
  return headers;
}

/** The first subprotocol that a handshake offers: an accepting listener offers the one it chose. */
export function offeredSubprotocol(request: IncomingMessage): string | undefined {
  const first = request.headers["sec-websocket-protocol"]?.split(",")[0]?.trim();
  return first !== undefined && /^[!#$%&'*+\-.^_`|~\w]+$/.test(first) ? first : undefined;
}
