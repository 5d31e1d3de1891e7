import type { Socket } from "node:net";

/**
 * Ends our direction and reads on, throwing away what comes, until the far end has ended too. Destroying a socket while
 * unread bytes lie in the kernel sends a reset, and the far end then loses what it had not read yet: its Close frame.
 * A far end that does neither, or takes nothing of what is queued, is not waited for longer than `timeoutMs`.
 */
export function lingerThenDestroy(socket: Socket, timeoutMs: number): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => {
    if (socket.writableFinished) socket.destroy();
  });
  socket.end(() => {
    if (socket.readableEnded) socket.destroy();
  });
  socket.resume();
}
