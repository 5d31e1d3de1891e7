import type { Socket } from "node:net";

/**
 * Ends a connection so that its other end sees a loss and never an end: a TCP socket is reset. A unix socket and a
 * TLS socket cannot be; they are destroyed, which TLS shows as a missing close_notify.
 *
 * libuv refuses to reset a socket whose FIN is just being sent (EINVAL), and Node then leaks it, open: wait for that
 * moment to pass. While unsent bytes are still in front of the FIN there is no such moment, and it would not pass
 * either if the other end does not read.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  const isSendingFin = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (isSendingFin) {
    socket.once("finish", () => resetNow(socket));
    socket.once("error", () => socket.destroy());
  } else {
    resetNow(socket);
  }
}

function resetNow(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // ERR_INVALID_HANDLE_TYPE: not a TCP socket.
    socket.destroy();
  }
}

/**
 * Whether the `end` that a TCP socket has just emitted was a reset in truth. libuv before 1.50 (Node 20) reports the
 * end of the stream when data and RST arrive together; the kernel no longer knows the peer then. False where that
 * says nothing: for a unix socket, once we have sent our own FIN (a connection that is over has no peer either), and
 * when the address was asked for earlier, because Node remembers it.
 */
export function endedByReset(socket: Socket): boolean {
  return !socket.writableEnded && socket.localAddress !== undefined && socket.remoteAddress === undefined;
}
