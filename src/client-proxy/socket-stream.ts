/**
 * A TCP connection to a process on this machine, as a stream that can be spliced: so that losses are told, counted and
 * passed on in one way, whatever stands behind the port.
 */
import { connect, type Socket } from "node:net";
import { delay } from "../runtime/delay";
import { endedByReset, resetSocket } from "../tunnel/reset-socket";
import type { ResetCode, StreamHandler, TunnelStream } from "../tunnel/stream";

export interface SocketStreamOptions {
  readonly id: number;
  readonly port: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;
  /** Nobody listens at the port. */
  readonly onRefused?: () => void;
}

/**
 * The kernel ends the connections of a process that dies as if it had ended them itself, a moment before anybody is
 * told of its death; on a busy machine, a long moment. An end is passed on once it is clear that the process has
 * outlived it. Nobody waits for that: what ends a TLS connection in order has said so inside of it before.
 */
const endHeldMs = 1_000;

export class SocketStream implements TunnelStream {
  readonly id: number;
  readonly #socket: Socket;
  #handler: StreamHandler | undefined;
  #received = 0;
  #unconsumed = 0;
  #isConnected = false;
  #hasEnded = false;
  #isOver = false;

  constructor(private readonly options: SocketStreamOptions) {
    this.id = options.id;
    this.#socket = connect({ host: "127.0.0.1", port: options.port, allowHalfOpen: true, noDelay: true });
    this.#socket.pause();
    this.#socket.once("connect", () => (this.#isConnected = true));
    this.#socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "ECONNREFUSED") options.onRefused?.();
    });
  }

  get received(): number {
    return this.#received;
  }

  get sent(): number {
    return this.#socket.bytesWritten;
  }

  write(chunk: Buffer): boolean {
    return this.#isOver || this.#socket.destroyed || this.#socket.write(chunk);
  }

  finish(): void {
    if (!this.#isOver) this.#socket.end();
  }

  reset(code: ResetCode, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    resetSocket(this.#socket);
    this.#handler?.reset(code, reason, true);
  }

  attach(handler: StreamHandler): void {
    this.#handler = handler;
    this.#socket
      .on("data", (chunk: Buffer) => this.#onData(chunk))
      .on("drain", () => handler.drain())
      .on("end", () => void this.#onEnd())
      .on("close", () => this.#onClose());
    if (this.#socket.destroyed) queueMicrotask(() => this.#onClose());
    else this.#socket.resume();
  }

  consumed(bytes: number): void {
    this.#unconsumed -= bytes;
    if (this.#unconsumed === 0 && !this.#isOver) this.#socket.resume();
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#received += chunk.length;
    this.#unconsumed += chunk.length;
    this.#handler?.data(chunk);
    if (this.#unconsumed > 0) this.#socket.pause();
  }

  async #onEnd(): Promise<void> {
    if (endedByReset(this.#socket)) return this.#lose("the connection was reset");
    const held = new AbortController();
    const survives = delay(endHeldMs, held.signal).then(() => true);
    survives.catch(() => undefined);
    const hasSurvived = await Promise.race([survives, this.options.exited.then(() => false)]);
    held.abort();
    if (!hasSurvived) return this.#lose("the process behind it has ended");
    if (this.#isOver) return;
    this.#hasEnded = true;
    this.#handler?.finished();
    if (this.#socket.destroyed) this.#settle();
  }

  #onClose(): void {
    if (this.#isOver) return;
    // Its end is still held: that will tell.
    if (this.#socket.readableEnded && !this.#hasEnded && this.#socket.writableFinished) return;
    if (this.#hasEnded && this.#socket.writableFinished) return this.#settle();
    this.#lose(this.#socket.errored?.message ?? "the connection was closed");
  }

  #settle(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler?.closed?.();
  }

  #lose(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#handler?.reset(this.#isConnected ? "lost" : "targetUnreachable", reason, false);
  }
}
