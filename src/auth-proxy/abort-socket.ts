import type { Socket } from "node:net";

/** The socket under each TLS socket: only that one can be reset. */
const underlying = new WeakMap<Socket, Socket>();

export function rememberUnderlying(secure: Socket, raw: Socket): void {
  underlying.set(secure, raw);
}

/**
 * Drops a connection so that its far end cannot take it for an orderly end: a reset over TCP. A unix socket knows
 * no reset; there the missing TLS close_notify, and the missing end of whatever was being sent, has to do.
 */
export function abortSocket(socket: Socket): void {
  const raw = underlying.get(socket);
  // libuv refuses to reset a socket whose FIN is being sent, and Node then leaks it.
  if (raw?.remoteAddress !== undefined && !socket.writableEnded) raw.resetAndDestroy();
  socket.destroy();
}
