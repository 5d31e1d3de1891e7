/**
 * Joins a sender's and a listener's WebSocket frame by frame. Close frames are passed on, not answered, so that
 * either direction may end first; a leg that goes without one is never made to look like a clean close.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { encodeControlFrame, opcodes } from "./frame-header";
import { Leg } from "./leg";

export interface SpliceEnd {
  readonly clean: boolean;
  readonly reason: string;
  readonly bytesFromSender: number;
  readonly bytesFromListener: number;
}

export interface SpliceOptions {
  /** After one direction has closed, how long the other may go on. */
  readonly closeTimeoutMs: number;
  readonly pingEveryMs: number;
}

/** RFC 6455 §7.4.1: what each side is told when the other is lost. */
const lossCodes = { sender: 1011, listener: 1001 } as const;

export class Splice {
  readonly ended: Promise<SpliceEnd>;
  readonly #sender: Leg;
  readonly #listener: Leg;
  readonly #pingPayload = randomBytes(8);
  #pinger: NodeJS.Timeout | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #finish: ((end: SpliceEnd) => void) | undefined;

  constructor(
    sender: Socket,
    listener: Socket,
    private readonly options: SpliceOptions,
  ) {
    this.ended = new Promise((resolve) => (this.#finish = resolve));
    this.#sender = this.#createLeg(sender, () => this.#listener);
    this.#listener = this.#createLeg(listener, () => this.#sender);
    sender.on("drain", () => listener.resume());
    listener.on("drain", () => sender.resume());
  }

  start(senderHead: Buffer, listenerHead: Buffer): void {
    this.#pinger = setInterval(() => this.#ping(), this.options.pingEveryMs);
    this.#sender.start(senderHead);
    this.#listener.start(listenerHead);
  }

  /** Closes both ends with `code`; a leg in the middle of a frame can only be cut. */
  close(code: number, reason: string): void {
    this.#lose(reason, { sender: code, listener: code });
  }

  #createLeg(socket: Socket, other: () => Leg): Leg {
    const leg: Leg = new Leg(socket, {
      forward: (bytes) => {
        const target = other();
        return target.wasClosed || target.socket.destroyed || target.socket.write(bytes);
      },
      closed: (payload) => this.#onClose(leg, other(), payload),
      lost: (reason) => {
        // After both Close frames the connections may end; before, an end is a loss.
        if (!(leg.hasClosed && leg.wasClosed)) this.#lose(reason, lossCodes);
      },
    });
    return leg;
  }

  #onClose(leg: Leg, other: Leg, payload: Buffer): void {
    leg.hasClosed = true;
    other.closeWith(encodeControlFrame(opcodes.close, payload));
    if (other.hasClosed) return this.#end(true, "closed");
    this.#closeTimer ??= setTimeout(
      () => this.#lose("the far end did not close in time", lossCodes),
      this.options.closeTimeoutMs,
    );
  }

  #ping(): void {
    // Two silent periods, and half of one because timers and pongs do not keep step.
    const silentSinceMs = 2.5 * this.options.pingEveryMs;
    for (const [leg, other] of [
      [this.#sender, this.#listener],
      [this.#listener, this.#sender],
    ] as const) {
      if (leg.wasClosed || !other.atFrameBoundary) continue;
      if (leg.ping(this.#pingPayload, silentSinceMs) === "dead") this.#lose("silent for too long", lossCodes);
    }
  }

  #lose(reason: string, codes: { readonly sender: number; readonly listener: number }): void {
    if (this.#finish === undefined) return;
    for (const [leg, other, code] of [
      [this.#sender, this.#listener, codes.sender],
      [this.#listener, this.#sender, codes.listener],
    ] as const) {
      if (!leg.wasClosed && other.atFrameBoundary) leg.close(code, reason);
      // Inside a frame there is no place for a Close: the far end must see the cut.
      else if (!leg.wasClosed) leg.socket.destroy();
    }
    this.#end(false, reason);
  }

  #end(clean: boolean, reason: string): void {
    clearInterval(this.#pinger);
    clearTimeout(this.#closeTimer);
    for (const { socket } of [this.#sender, this.#listener]) endSocket(socket, this.options.closeTimeoutMs);
    this.#finish?.({
      clean,
      reason,
      bytesFromSender: this.#sender.receivedBytes,
      bytesFromListener: this.#listener.receivedBytes,
    });
    this.#finish = undefined;
  }
}

/** Flushes what is queued, then destroys; a peer that reads nothing is not waited for longer than `timeoutMs`. */
function endSocket(socket: Socket, timeoutMs: number): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.once("close", () => clearTimeout(timer));
  socket.end(() => socket.destroy());
}
