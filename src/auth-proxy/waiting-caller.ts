import type { Socket } from "node:net";

/**
 * Reads on while a caller waits for the answer to his upgrade: of a connection that nobody reads, no end is ever seen.
 * What he sends meanwhile is put back by the function that is returned, which also stops the watch and leaves the
 * connection paused. `onGone` is called when he ends or loses it, at least once.
 */
export function watchWaitingCaller(socket: Socket, onGone: () => void): () => void {
  const kept: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer) => {
    kept.push(chunk);
    size += chunk.length;
    // As much as Node would buffer by itself. An end behind it is seen only after the wait, which has its own limit.
    if (size >= socket.readableHighWaterMark) socket.pause();
  };
  socket.on("data", keep).once("end", onGone).once("close", onGone).resume();
  return () => {
    socket.off("data", keep).off("end", onGone).off("close", onGone).pause();
    if (size > 0 && !socket.readableEnded) socket.unshift(Buffer.concat(kept));
  };
}
