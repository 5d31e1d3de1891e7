import type { Socket } from "node:net";

/**
 * Drops a connection whose peer has ended and to which, for `stuckMs`, nothing more could be written. Node loses the
 * callback of a write that meets the end of its peer in TLS (nodejs/node#55804): it would keep such a socket for ever.
 */
export function dropWhenStuck(socket: Socket, stuckMs: number): void {
  socket.once("end", () => {
    let before = "";
    const look = () => {
      const now = `${String(socket.bytesWritten)} ${String(socket.writableLength)}`;
      if (socket.writableLength > 0 && now === before) socket.destroy();
      before = now;
    };
    look();
    const timer = setInterval(look, stuckMs);
    socket.once("close", () => clearInterval(timer));
  });
}
