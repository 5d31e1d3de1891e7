import type { Socket } from "node:net";
import type { ResetCode } from "../protocol/codes";
import { endedByReset, resetSocket } from "./reset-socket";
import type { StreamHandler, TunnelStream } from "./stream";

export interface SpliceOptions {
  /** Bytes that were read from the socket before; they go first. */
  readonly firstBytes?: readonly Buffer[];
  /**
   * Keep what the socket has sent until the far end has sent something, and give both back if the stream is reset
   * before: nothing was answered, so another session, or a server here, can still take the connection from its start.
   */
  readonly keepFirstBytes?: boolean;
}

export interface SpliceEnd {
  /**
   * `ended`: both directions, in order. `lost`: anything else; the socket has been reset.
   * `unanswered`: only with `keepFirstBytes`. The socket is as it was, but paused and without its `firstBytes`, which
   * the next owner gets back by `splice(socket, other, { firstBytes })` or `socket.unshift(Buffer.concat(firstBytes))`.
   */
  readonly outcome: "ended" | "lost" | "unanswered";
  /** Which side was lost; for the far side, the code and reason of the reset. */
  readonly lostSide?: "socket" | "stream";
  readonly code?: ResetCode;
  readonly reason?: string;
  readonly firstBytes?: readonly Buffer[];
  /**
   * For a loss: one direction had ended before. A TLS peer that has ended is done, and many servers close without
   * reading its last words, so that this is how most connections end that nobody misses anything of.
   */
  readonly afterEnd: boolean;
  readonly bytesFromSocket: number;
  readonly bytesToSocket: number;
}

/**
 * Joins a TCP or unix socket and a stream until both directions have ended: half-close and back-pressure pass through
 * both ways, and a loss on one side is a loss on the other. Takes over both; the socket may be paused, and may have
 * ended or been destroyed already. Resolves when the socket is closed (or given back); never rejects.
 */
export function splice(
  socket: Socket,
  stream: TunnelStream,
  options: SpliceOptions = {},
): Promise<SpliceEnd> {
  return new Promise((resolve) => new Splice(socket, stream, options, resolve));
}

class Splice implements StreamHandler {
  /** What is kept as long as the far end has not answered. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #bytesFromSocket = 0;
  #bytesToSocket = 0;
  /** Given to the socket, which has not passed it on yet. */
  #unwritten = 0;
  #streamEnded = false;
  #socketEnded = false;
  #afterEnd = false;
  #streamClosed = false;
  #socketClosed = false;
  #loss: Pick<SpliceEnd, "lostSide" | "code" | "reason"> | undefined;
  #error = "connection closed";

  constructor(
    private readonly socket: Socket,
    private readonly stream: TunnelStream,
    options: SpliceOptions,
    private readonly resolve: (end: SpliceEnd) => void,
  ) {
    this.#kept = options.keepFirstBytes === true ? [] : undefined;
    // The other direction goes on when one has ended; and a request must not wait for an acknowledgement.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("error", this.#onError)
      .on("close", this.#onClose);
    stream.attach(this);
    for (const chunk of options.firstBytes ?? []) this.#onData(chunk);
    if (socket.readableEnded) this.#onEnd();
    if (socket.destroyed) this.#onClose();
    else if (!this.#isFull) socket.resume();
  }

  // From the socket

  readonly #onData = (chunk: Buffer): void => {
    this.#bytesFromSocket += chunk.length;
    if (this.#kept !== undefined) {
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
    }
    if (!this.stream.write(chunk) || this.#isFull) this.socket.pause();
  };

  readonly #onEnd = (): void => {
    if (endedByReset(this.socket)) return this.#loseSocket("connection reset");
    this.#socketEnded = true;
    this.stream.finish();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error.message;
  };

  readonly #onClose = (): void => {
    if (this.#socketClosed) return;
    this.#socketClosed = true;
    if (!this.socket.readableEnded || !this.socket.writableFinished) this.#loseSocket(this.#error);
    this.#settle();
  };

  readonly #onWritten = (): void => {
    if (this.#unwritten === 0 || this.socket.writableLength > 0) return;
    const bytes = this.#unwritten;
    this.#unwritten = 0;
    this.stream.consumed(bytes);
  };

  // From the stream

  data(chunk: Buffer): void {
    this.#answered();
    this.#bytesToSocket += chunk.length;
    this.#unwritten += chunk.length;
    this.socket.write(chunk, this.#onWritten);
    // Usually the kernel has taken all of it by now. What it has not is the reader's delay, and gives no credit yet.
    this.#onWritten();
  }

  drain(): void {
    if (!this.#isFull) this.socket.resume();
  }

  finished(): void {
    this.#streamEnded = true;
    this.#answered();
    this.socket.end();
  }

  reset(code: ResetCode, reason: string): void {
    if (this.#loss !== undefined) return;
    this.#lose({ lostSide: "stream", code, reason });
    if (this.#kept !== undefined && !this.socket.destroyed) this.#giveBack(this.#kept);
    else resetSocket(this.socket);
    this.#settle();
  }

  closed(): void {
    this.#streamClosed = true;
    this.#settle();
  }

  // State

  /** While first bytes are kept, no more than this is read. */
  get #isFull(): boolean {
    return this.#kept !== undefined && this.#keptBytes >= maxKeptBytes;
  }

  #answered(): void {
    if (this.#kept === undefined) return;
    const wasFull = this.#isFull;
    this.#kept = undefined;
    if (wasFull) this.socket.resume();
  }

  #loseSocket(reason: string): void {
    this.#lose({ lostSide: "socket", reason });
    this.stream.reset("lost", reason);
    this.socket.destroy();
  }

  /** The first loss is the one that counts; the other side is lost because of it. */
  #lose(loss: Pick<SpliceEnd, "lostSide" | "code" | "reason">): void {
    if (this.#loss !== undefined) return;
    this.#loss = loss;
    this.#afterEnd = this.#streamEnded || this.#socketEnded;
  }

  #giveBack(firstBytes: readonly Buffer[]): void {
    const { socket } = this;
    socket.pause();
    socket
      .off("data", this.#onData)
      .off("end", this.#onEnd)
      .off("error", this.#onError)
      .off("close", this.#onClose);
    this.#resolve("unanswered", { firstBytes });
  }

  #settle(): void {
    if (!this.#socketClosed) return;
    if (this.#loss !== undefined) this.#resolve("lost", {});
    else if (this.#streamClosed) this.#resolve("ended", {});
  }

  #resolve(outcome: SpliceEnd["outcome"], more: Pick<SpliceEnd, "firstBytes">): void {
    this.resolve({
      outcome,
      ...this.#loss,
      ...more,
      afterEnd: this.#afterEnd,
      bytesFromSocket: this.#bytesFromSocket,
      bytesToSocket: this.#bytesToSocket,
    });
  }
}

const maxKeptBytes = 64 * 1024;
