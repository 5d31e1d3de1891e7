/**
 * Joins a sender's and a listener's WebSocket frame by frame. Close frames are passed on, not answered, so that
 * either direction may end first; a leg that goes without one is never made to look like a clean close.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { encodeClose, encodeControlFrame, opcodes } from "./frame-header";
import { Leg } from "./leg";
import { lingerThenDestroy } from "./linger";

export interface SpliceEnd {
  /** Both ends have sent a Close frame. */
  readonly clean: boolean;
  readonly reason: string;
  readonly bytesFromSender: number;
  readonly bytesFromListener: number;
}

export interface SpliceOptions {
  /** After one end's Close, how long the other may go on. */
  readonly closeTimeoutMs: number;
  readonly pingEveryMs: number;
  /** Bytes that wait for one leg before the other is not read any more. */
  readonly maxHeldBytes: number;
}

/** RFC 6455 §7.4.1. What each side is told when the other is lost; and who breaks the protocol himself. */
const lossCodes = { sender: 1011, listener: 1001 } as const;
const protocolError = 1002;

/** One for the process: legs are asked whether they live, not which of them. */
const pingPayload = randomBytes(8);

export class Splice {
  readonly ended: Promise<SpliceEnd>;
  readonly #sender: Leg;
  readonly #listener: Leg;
  #pinger: NodeJS.Timeout | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #finish: ((end: SpliceEnd) => void) | undefined;

  constructor(
    sender: Socket,
    listener: Socket,
    private readonly options: SpliceOptions,
  ) {
    this.ended = new Promise((resolve) => (this.#finish = resolve));
    this.#sender = this.#createLeg(sender, () => this.#listener, lossCodes.sender);
    this.#listener = this.#createLeg(listener, () => this.#sender, lossCodes.listener);
    sender.on("drain", () => listener.resume());
    listener.on("drain", () => sender.resume());
  }

  get bytesFromSender(): number {
    return this.#sender.receivedBytes;
  }

  get bytesFromListener(): number {
    return this.#listener.receivedBytes;
  }

  /** Bytes held for both legs. */
  get heldBytes(): number {
    return this.#sender.heldBytes + this.#listener.heldBytes;
  }

  /** Begins to pass on; the heads are what came behind the handshakes. */
  start(senderHead: Buffer, listenerHead: Buffer): void {
    this.#pinger = setInterval(() => this.#ping(), this.options.pingEveryMs);
    this.#sender.start(senderHead);
    this.#listener.start(listenerHead);
  }

  /** Closes both ends with `code`; a leg in the middle of a frame can only be cut. */
  close(code: number, reason: string): void {
    this.#lose(reason, { sender: code, listener: code });
  }

  #createLeg(socket: Socket, other: () => Leg, ownLossCode: number): Leg {
    const leg: Leg = new Leg(socket, {
      forward: (pieces) => this.#forward(other(), pieces),
      closed: (payload) => this.#onClose(other(), payload),
      violated: (reason) => {
        const own = ownLossCode === lossCodes.sender ? "sender" : "listener";
        this.#lose(`${own}: ${reason}`, { ...lossCodes, [own]: protocolError });
      },
      gone: (reason) => {
        // One that has closed may leave; what the other still sends to it is then a loss, its Close is not.
        if (!leg.hasClosed) this.#lose(reason, lossCodes);
      },
    });
    return leg;
  }

  #forward(target: Leg, pieces: readonly Buffer[]): boolean {
    if (this.#finish === undefined) return true;
    if (target.socket.destroyed) {
      this.#lose("the far end went before it had everything", lossCodes);
      return true;
    }
    return target.wasClosed || target.send(pieces, this.options.maxHeldBytes);
  }

  #onClose(other: Leg, payload: Buffer): void {
    if (this.#finish === undefined) return;
    other.closeWith(encodeControlFrame(opcodes.close, payload));
    if (other.hasClosed) return this.#end(true, "closed");
    this.#closeTimer ??= setTimeout(
      () => this.#lose("the far end did not close in time", lossCodes),
      this.options.closeTimeoutMs,
    );
  }

  #ping(): void {
    for (const [leg, other] of [
      [this.#sender, this.#listener],
      [this.#listener, this.#sender],
    ] as const) {
      if (!leg.isAlive()) {
        leg.socket.destroy();
        return this.#lose("silent for too long", lossCodes);
      }
      if (!leg.wasClosed && other.atFrameBoundary && leg.heldBytes === 0) leg.ping(pingPayload);
    }
  }

  #lose(reason: string, codes: { readonly sender: number; readonly listener: number }): void {
    if (this.#finish === undefined) return;
    for (const [leg, other, code] of [
      [this.#sender, this.#listener, codes.sender],
      [this.#listener, this.#sender, codes.listener],
    ] as const) {
      // Inside a frame there is no place for a Close, and behind one neither: the far end must see the cut.
      if (leg.wasClosed || !other.atFrameBoundary) leg.socket.destroy();
      else leg.closeWith(encodeClose(code, reason));
    }
    this.#end(false, reason);
  }

  #end(clean: boolean, reason: string): void {
    const finish = this.#finish;
    this.#finish = undefined;
    clearInterval(this.#pinger);
    clearTimeout(this.#closeTimer);
    for (const { socket } of [this.#sender, this.#listener]) {
      lingerThenDestroy(socket, this.options.closeTimeoutMs);
    }
    finish?.({
      clean,
      reason,
      bytesFromSender: this.bytesFromSender,
      bytesFromListener: this.bytesFromListener,
    });
  }
}
