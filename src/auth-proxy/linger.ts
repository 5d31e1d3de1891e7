import type { Socket } from "node:net";

/**
 * After a last answer Node closes the connection at once. A client's own goodbye (its TLS close_notify) then meets a
 * closed socket, and the reset that this makes can overtake the answer's end. So: end, read on and drop until the
 * client has ended too, for at most `lingerMs`.
 */
export function lingerAtEnd(socket: Socket, lingerMs: number): void {
  socket.destroySoon = () => {
    if (socket.destroyed || socket.writableEnded) return;
    // First a listener of our own, which makes Node's parser let go of the handle; then the parser's are removed:
    // a request behind the last answer is not served.
    socket.on("data", () => undefined).removeAllListeners("data");
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
    socket.once("end", () => socket.destroy());
    socket.end();
    if (socket.readableEnded) socket.destroy();
  };
}
