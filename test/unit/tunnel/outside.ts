import type { Socket } from "node:net";

/** What the outside sees of a connection. */
export class Outside {
  readonly chunks: Buffer[] = [];
  readonly events: string[] = [];

  constructor(readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => this.chunks.push(chunk));
    socket.on("end", () => this.events.push("end"));
    socket.on("error", (error: NodeJS.ErrnoException) => this.events.push(String(error.code)));
    socket.on("close", () => this.events.push("close"));
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}
