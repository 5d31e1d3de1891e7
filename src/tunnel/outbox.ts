/**
 * Decides what goes into the link next. Session frames, OPEN, CREDIT and RESET go ahead of data; streams with data
 * take turns of at most one DATA frame. Frames that are due together share a message.
 */
import { encodeCredit } from "../protocol/encode";
import { headerBytes } from "../protocol/frames";
import { defaultWireLimits, type SessionLimits } from "../protocol/limits";
import type { Transport } from "./transport";

/** A stream, as the outbox sees it. */
export interface FrameSource {
  readonly id: number;
  /** Whether it waits for its turn; kept here because the outbox asks for every write. */
  inTurn: boolean;
  /** Whether it waits to send CREDIT. */
  owesCredit: boolean;
  readonly isSendable: boolean;
  /** Appends its next frames, with at most `maxBytes` of payload, to `parts`; returns how many bytes these are. */
  takeFrames(parts: Uint8Array[], maxBytes: number): number;
  takeGrant(): number;
  /** Called when the message has been handed to the link. */
  flushed(): void;
}

export class Outbox {
  #control: Buffer[] = [];
  #controlBytes = 0;
  #sentBytes = 0;
  #grants: FrameSource[] = [];
  #turns: FrameSource[] = [];
  /** The message that is being put together. */
  #parts: Uint8Array[] = [];
  #size = 0;
  #served: FrameSource[] = [];
  #isScheduled = false;
  #hasFlushedThisTurn = false;
  #isClosed = false;
  readonly #messageBytes: number;
  readonly #turnBytes: number;

  constructor(
    private readonly transport: Transport,
    private readonly limits: SessionLimits,
  ) {
    // The other end may take more; nothing is gained by sending it.
    this.#messageBytes = Math.min(limits.messageBytes, defaultWireLimits.messageBytes);
    this.#turnBytes = Math.min(limits.dataBytes, defaultWireLimits.dataBytes);
  }

  /** Whether answers wait because the link does not take them: time to stop reading what causes them. */
  get isCongested(): boolean {
    return this.#controlBytes > this.limits.unsentControlBytes;
  }

  /** Bytes handed to the link so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Queues an encoded frame that goes ahead of data. */
  control(frame: Buffer): void {
    if (this.#isClosed) return;
    this.#control.push(frame);
    this.#controlBytes += frame.length;
    this.#schedule();
  }

  grant(stream: FrameSource): void {
    if (this.#isClosed || stream.owesCredit) return;
    stream.owesCredit = true;
    this.#grants.push(stream);
    this.#schedule();
  }

  ready(stream: FrameSource): void {
    if (this.#isClosed || stream.inTurn) return;
    this.#line(stream);
    this.#schedule();
  }

  /** Sends what may be sent now. Called by itself, and when the link has room again. */
  flush(): void {
    if (this.#isClosed) return;
    this.#collectControl();
    if (this.#turns.length > 0) this.#collectData();
    this.#send();
    if (this.#served.length === 0) return;
    // Only now: a writer that is told to go on may write at once, and so flush again.
    for (const stream of this.#served.splice(0)) stream.flushed();
  }

  /** Drops what is waiting; nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#control = [];
    this.#controlBytes = 0;
    this.#grants = [];
    this.#turns = [];
  }

  /**
   * The first frame of an event-loop turn leaves at the end of the callback that wrote it: waiting would add to the
   * latency of a lone request. Those that follow in the same turn wait for its end and share messages, because a
   * message costs each process on the way a system call and a TLS record.
   */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (!this.#hasFlushedThisTurn) queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    this.#hasFlushedThisTurn = true;
    setImmediate(this.#endTurn);
    this.flush();
  };

  readonly #endTurn = (): void => {
    this.#hasFlushedThisTurn = false;
    if (this.#isScheduled) this.#run();
  };

  /** Frames ahead of data. They wait only when the link is so full that the other end cannot be reading. */
  #collectControl(): void {
    if (this.#control.length === 0 && this.#grants.length === 0) return;
    if (this.transport.bufferedBytes > this.limits.unsentBytes + this.limits.unsentControlBytes) return;
    for (const frame of this.#control.splice(0)) this.#add(frame);
    this.#controlBytes = 0;
    for (const stream of this.#grants.splice(0)) {
      stream.owesCredit = false;
      const bytes = stream.takeGrant();
      if (bytes > 0) this.#add(encodeCredit(stream.id, bytes));
    }
  }

  /** One turn for each stream in line, as long as there is room in the link. */
  #collectData(): void {
    let room = this.limits.unsentBytes - this.transport.bufferedBytes;
    while (room > 0) {
      const stream = this.#turns.shift();
      if (stream === undefined) return;
      stream.inTurn = false;
      if (this.#size + this.#turnBytes + 2 * headerBytes > this.#messageBytes) this.#send();
      const bytes = stream.takeFrames(this.#parts, this.#turnBytes);
      this.#size += bytes;
      room -= bytes;
      this.#served.push(stream);
      if (stream.isSendable) this.#line(stream);
    }
  }

  #line(stream: FrameSource): void {
    stream.inTurn = true;
    this.#turns.push(stream);
  }

  #add(frame: Buffer): void {
    if (this.#size + frame.length > this.#messageBytes) this.#send();
    this.#parts.push(frame);
    this.#size += frame.length;
  }

  #send(): void {
    if (this.#size === 0) return;
    const parts = this.#parts;
    this.#sentBytes += this.#size;
    this.#parts = [];
    this.#size = 0;
    this.transport.send(parts);
  }
}
