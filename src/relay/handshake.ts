import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { parseTarget, type Target } from "../hybrid-connections/addresses";
import { Refusal } from "./refusal";
import { requestSource, type SourceAddress } from "./source-address";

/** A WebSocket handshake that has been read and checked, and not yet answered. */
export interface Handshake {
  readonly target: Target;
  readonly socket: Socket;
  /** Bytes that came behind the handshake. */
  readonly head: Buffer;
  readonly key: string;
  readonly request: IncomingMessage;
  readonly source: SourceAddress;
  readonly authorization: string | undefined;
  /** To be called once the caller has shown who he is: his connection is no longer a stranger's. */
  readonly admitted: () => void;
}

export interface HandshakeContext {
  readonly isBehindProxy: boolean;
  readonly admitted: () => void;
}

/** Characters of an id that a peer gave itself; a longer one is no id, and would fill logs and messages. */
const maxIdCharacters = 256;

/** Checks what RFC 6455 §4.2.1 asks of a client's handshake. Throws a Refusal. */
export function readHandshake(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  context: HandshakeContext,
): Handshake {
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
  const hasId = target.id !== undefined && target.id !== "" && target.id.length <= maxIdCharacters;
  return {
    target: hasId ? target : { ...target, id: undefined },
    socket,
    head,
    key,
    request,
    source: requestSource(request, socket, context.isBehindProxy),
    authorization: typeof header === "string" ? header : target.token,
    admitted: context.admitted,
  };
}

/**
 * A listener on `ws` 1.x, whose key is base64 of `13-` and a clock. A refused one comes back at once and twice, so
 * that a storm follows from a single refusal.
 */
export const isStormProne = (handshake: Handshake): boolean => handshake.key.startsWith("MTMt");

/** The handshake's headers for the `accept` message: as sent, without the token that was meant for the relay. */
export function connectHeaders(request: IncomingMessage): Record<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    const value = request.rawHeaders[index + 1] ?? "";
    if (name.toLowerCase() === "servicebusauthorization") continue;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/** The first subprotocol that a handshake offers: an accepting listener offers the one it chose. */
export function offeredSubprotocol(request: IncomingMessage): string | undefined {
  const first = request.headers["sec-websocket-protocol"]?.split(",")[0]?.trim();
  return first !== undefined && /^[!#$%&'*+\-.^_`|~\w]+$/.test(first) ? first : undefined;
}
