/**
 * A TLS connection to a process on this machine, as a stream that can be spliced: so that losses are told, counted and
 * passed on in one way, whatever stands behind the port.
 */
import { connect, type Socket } from "node:net";
import { resetSocket } from "../tunnel/reset-socket";
import type { ResetCode, StreamHandler, TunnelStream } from "../tunnel/stream";
import { TlsEnd } from "./tls-end";

export interface SocketStreamOptions {
  readonly id: number;
  readonly port: number;
  /** Nobody listens at the port. */
  readonly onRefused?: () => void;
}

/**
 * TCP alone does not tell an end from a loss here: the kernel ends the connections of a process that dies as if it had
 * ended them itself, and answers with a reset when one that has closed its connection is still written to. TLS tells.
 */
export class SocketStream implements TunnelStream {
  readonly id: number;
  readonly #socket: Socket;
  readonly #end = new TlsEnd();
  #handler: StreamHandler | undefined;
  #received = 0;
  #unconsumed = 0;
  #isConnected = false;
  /** The far end has said that it is done. */
  #hasEnded = false;
  #hasFinished = false;
  #isOver = false;

  constructor(options: SocketStreamOptions) {
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
    this.#hasFinished = true;
    if (this.#socket.destroyed) this.#settle();
    else this.#socket.end();
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
      .on("end", () => this.#onEnd())
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
    this.#end.take(chunk);
    this.#received += chunk.length;
    this.#unconsumed += chunk.length;
    this.#handler?.data(chunk);
    if (this.#unconsumed > 0) this.#socket.pause();
  }

  #onEnd(): void {
    if (this.#isOver || this.#hasEnded) return;
    if (!this.#end.isInOrder) return this.#lose("the connection ended in the middle");
    this.#hasEnded = true;
    this.#handler?.finished();
  }

  /** Whoever is done may close, and need not hear the rest: what is still written to it goes nowhere, and is not missed. */
  #onClose(): void {
    if (this.#isOver) return;
    if (!this.#hasEnded && !this.#end.isInOrder) {
      return this.#lose(this.#socket.errored?.message ?? "the connection was closed");
    }
    this.#onEnd();
    if (this.#hasFinished) this.#settle();
    else this.#handler?.drain();
  }

  #settle(): void {
    if (this.#isOver || !this.#hasEnded) return;
    this.#isOver = true;
    this.#handler?.closed?.();
  }

  #lose(reason: string): void {
    this.#isOver = true;
    this.#socket.destroy();
    this.#handler?.reset(this.#isConnected ? "lost" : "targetUnreachable", reason, false);
  }
}
