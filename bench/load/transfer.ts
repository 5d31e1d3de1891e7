/** Moves bytes down or up on several connections at once, and says how long that took. */
import type { TLSSocket } from "node:tls";
import type { Endpoint } from "../paths/path";
import { connectTo, readAnswers, requestHead } from "./http-connection";

export interface TransferOptions {
  readonly endpoint: Endpoint;
  readonly direction: "down" | "up";
  readonly streams: number;
  /** Of all streams together. */
  readonly bytes: number;
}

const chunk = Buffer.alloc(64 * 1_024, "u");

/** From the first request, all connections being open, to the last answer. */
export async function run(options: TransferOptions): Promise<{ seconds: number }> {
  const { endpoint, direction, streams, bytes } = options;
  const sockets = await Promise.all(Array.from({ length: streams }, () => connectTo(endpoint)));
  const share = Math.ceil(bytes / streams);
  const started = performance.now();
  await Promise.all(
    sockets.map((socket) => (direction === "down" ? download : upload)(socket, endpoint, share)),
  );
  const seconds = (performance.now() - started) / 1_000;
  for (const socket of sockets) socket.destroy();
  return { seconds };
}

function answered(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    readAnswers(socket, resolve);
    socket.once("error", reject).once("close", () => reject(new Error("the connection was lost")));
  });
}

function download(socket: TLSSocket, endpoint: Endpoint, bytes: number): Promise<void> {
  socket.write(requestHead(endpoint, `GET /down?bytes=${String(bytes)}`));
  return answered(socket);
}

function upload(socket: TLSSocket, endpoint: Endpoint, bytes: number): Promise<void> {
  let left = bytes;
  const send = () => {
    while (left > 0) {
      const piece = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on("drain", send);
  socket.write(requestHead(endpoint, "PUT /up", { "Content-Length": String(bytes) }));
  send();
  return answered(socket);
}
