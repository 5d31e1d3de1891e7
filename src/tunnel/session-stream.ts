import { resetCodeName, resetCodes, type ResetCode } from "../protocol/codes";
import { encodeFinish, encodeHeader, encodeReset } from "../protocol/encode";
import { frameType, headerBytes } from "../protocol/frames";
import { excess, violation, type Violation } from "../protocol/violation";
import { Inbox, isSmallPart } from "./inbox";
import type { FrameSource, Outbox } from "./outbox";
import type { ReceiveWindow } from "./receive-window";
import type { StreamHandler, TunnelStream } from "./stream";

/** What a stream needs of its session. */
export interface StreamHost {
  readonly outbox: Outbox;
  readonly queueBytes: number;
  now(): number;
  /** The stream is over on the wire. `byUs`: reset here, so that frames may still come that the other end sent before it knew. */
  streamOver(stream: SessionStream, byUs: boolean): void;
}

/** A stream of either end: what is queued to be sent, what has come and waits for its reader, and its state. */
export class SessionStream implements TunnelStream, FrameSource {
  inTurn = false;
  owesCredit = false;
  received = 0;
  sent = 0;

  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writerWaits = false;
  #hasFinished = false;
  #finishSent = false;

  readonly #inbox = new Inbox();
  /** Given to the reader, who has not said `consumed` yet. */
  #unconsumed = 0;
  #peerFinished = false;
  #finishDelivered = false;
  #isDelivering = false;

  #handler: StreamHandler | undefined;
  #reset: { code: ResetCode; reason: string; local: boolean } | undefined;
  #isSettled = false;

  constructor(
    readonly id: number,
    private credit: number,
    private readonly window: ReceiveWindow,
    private readonly host: StreamHost,
  ) {}

  get peerHasFinished(): boolean {
    return this.#peerFinished;
  }

  // For the writer and reader at this end.

  write(chunk: Buffer): boolean {
    if (this.#hasFinished || this.#reset !== undefined || chunk.length === 0) return true;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.credit > 0) this.host.outbox.ready(this);
    if (this.#queuedBytes < this.host.queueBytes) return true;
    this.#writerWaits = true;
    return false;
  }

  finish(): void {
    if (this.#hasFinished || this.#reset !== undefined) return;
    this.#hasFinished = true;
    if (this.isSendable) this.host.outbox.ready(this);
  }

  reset(code: ResetCode, reason: string): void {
    // Over on the wire, but its reader may still hold bytes: give those up, without a frame.
    if (this.#isOverOnWire) return this.#end(code, reason, true);
    this.host.outbox.control(encodeReset(this.id, resetCodes[code], reason));
    this.#end(code, reason, true);
    this.host.streamOver(this, true);
  }

  attach(handler: StreamHandler): void {
    if (this.#handler !== undefined) throw new TypeError("a stream has one handler");
    this.#handler = handler;
    queueMicrotask(() => {
      this.#deliver();
      this.#settle();
    });
  }

  consumed(bytes: number): void {
    if (this.#reset !== undefined) return;
    if (bytes > this.#unconsumed) throw new RangeError("more consumed than was given");
    this.#unconsumed -= bytes;
    this.window.consume(bytes);
    if (this.#peerFinished) this.window.settle();
    else if (this.window.owesGrant) this.host.outbox.grant(this);
    this.#deliver();
  }

  // For the session: frames that have come.

  takeData(payload: Buffer): Violation | undefined {
    if (this.#peerFinished) return violation("DATA after FIN");
    if (!this.window.receive(payload.length, this.host.now())) return excess("DATA beyond credit");
    this.received += payload.length;
    if (this.#handler !== undefined && this.#unconsumed === 0 && this.#inbox.isEmpty) {
      this.#give(this.#handler, isSmallPart(payload) ? Buffer.from(payload) : payload);
    } else {
      this.#inbox.push(payload);
    }
    return undefined;
  }

  takeFinish(): Violation | undefined {
    if (this.#peerFinished) return violation("FIN after FIN");
    this.#peerFinished = true;
    this.window.finish();
    if (this.#finishSent) this.host.streamOver(this, false);
    this.#deliver();
    return undefined;
  }

  takeReset(code: number, reason: string): void {
    this.#end(resetCodeName(code), reason, false);
    this.host.streamOver(this, false);
  }

  takeCredit(bytes: number, ceiling: number): Violation | undefined {
    if (this.credit + bytes > ceiling) return excess("CREDIT above the ceiling");
    this.credit += bytes;
    if (this.isSendable) this.host.outbox.ready(this);
    return undefined;
  }

  /** The session is gone, and this stream with it. */
  lose(reason: string): void {
    this.#end("lost", reason, true);
  }

  // For the outbox.

  get isSendable(): boolean {
    if (this.#queuedBytes > 0) return this.credit > 0;
    return this.#hasFinished && !this.#finishSent && this.#reset === undefined;
  }

  takeFrames(parts: Uint8Array[], maxBytes: number): number {
    const payloadBytes = Math.min(maxBytes, this.credit, this.#queuedBytes);
    let size = 0;
    if (payloadBytes > 0) {
      parts.push(encodeHeader(frameType.data, this.id, payloadBytes));
      this.#moveQueued(parts, payloadBytes);
      size += headerBytes + payloadBytes;
    }
    if (this.#queuedBytes === 0 && this.isSendable) {
      parts.push(encodeFinish(this.id));
      size += headerBytes;
      this.#finishSent = true;
    }
    return size;
  }

  takeGrant(): number {
    return this.#peerFinished || this.#reset !== undefined ? 0 : this.window.takeGrant(this.host.now());
  }

  flushed(): void {
    if (this.#finishSent && this.#peerFinished) this.host.streamOver(this, false);
    if (this.#writerWaits && this.#queuedBytes < this.host.queueBytes && this.#reset === undefined) {
      this.#writerWaits = false;
      this.#handler?.drain();
    }
    this.#settle();
  }

  #moveQueued(parts: Uint8Array[], bytes: number): void {
    this.credit -= bytes;
    this.sent += bytes;
    this.#queuedBytes -= bytes;
    let rest = bytes;
    while (rest > 0) {
      const chunk = this.#queue[0] as Buffer;
      if (chunk.length <= rest) {
        parts.push(chunk);
        this.#queue.shift();
        rest -= chunk.length;
      } else {
        parts.push(chunk.subarray(0, rest));
        this.#queue[0] = chunk.subarray(rest);
        rest = 0;
      }
    }
  }

  /** Gives the reader what it can take now. Called from within `consumed` too, where the loop below goes on by itself. */
  #deliver(): void {
    if (this.#isDelivering || this.#handler === undefined || this.#reset !== undefined) return;
    this.#isDelivering = true;
    while (this.#unconsumed === 0 && !this.#inbox.isEmpty) this.#give(this.#handler, this.#inbox.shift());
    this.#isDelivering = false;
    if (!this.#peerFinished || !this.#inbox.isEmpty || this.#finishDelivered || this.#isReset()) return;
    this.#finishDelivered = true;
    this.#handler.finished();
    this.#settle();
  }

  #give(handler: StreamHandler, chunk: Buffer | undefined): void {
    if (chunk === undefined) return;
    this.#unconsumed = chunk.length;
    handler.data(chunk);
  }

  #end(code: ResetCode, reason: string, local: boolean): void {
    if (this.#reset !== undefined) return;
    this.#reset = { code, reason, local };
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#inbox.clear();
    this.window.drop();
    this.#settle();
  }

  /** The last thing a handler hears, once it is true and there is a handler. */
  #settle(): void {
    if (this.#handler === undefined || this.#isSettled) return;
    if (this.#reset !== undefined) {
      this.#isSettled = true;
      this.#handler.reset(this.#reset.code, this.#reset.reason, this.#reset.local);
    } else if (this.#finishSent && this.#finishDelivered) {
      this.#isSettled = true;
      this.#handler.closed?.();
    }
  }

  get #isOverOnWire(): boolean {
    return this.#reset !== undefined || (this.#finishSent && this.#peerFinished);
  }

  /** Asked again after a callback, which may have reset the stream. */
  #isReset(): boolean {
    return this.#reset !== undefined;
  }
}
