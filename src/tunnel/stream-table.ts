import { resetCodes, type ResetCode } from "../protocol/codes";
import { encodeOpen, encodeReset } from "../protocol/encode";
import { maxStreamId } from "../protocol/frames";
import { announcedLimits, defaultWireLimits, type SessionLimits, type WireLimits } from "../protocol/limits";
import { violation, type Violation } from "../protocol/violation";
import { ClusterConnectError } from "../runtime/errors";
import type { HeldMemory } from "./held-memory";
import type { Outbox } from "./outbox";
import type { SessionPath } from "./path-estimate";
import { ReceiveWindow } from "./receive-window";
import { ResetStreams } from "./reset-streams";
import { SessionStream, type StreamHost } from "./session-stream";

/** The streams of one session by id, which of them are over, and what a frame for each means. */
export class StreamTable implements StreamHost {
  /** Streams that we have reset and of which frames may still come. */
  readonly resetHere = new ResetStreams();
  readonly queueBytes: number;
  readonly #streams = new Map<number, SessionStream>();
  /** What the other end takes; its HELLO may raise it. */
  #peerLimits: WireLimits = defaultWireLimits;
  /** What the other end may send on a new stream, whatever was set here: at least the default. */
  readonly #initialCredit: number;
  #lastId = 0;
  /** Streams that the other end has opened, and reset before they had an answer, since the last tick. */
  #abandoned = 0;

  constructor(
    readonly outbox: Outbox,
    private readonly limits: SessionLimits,
    private readonly memory: HeldMemory,
    private readonly path: SessionPath,
    /** Called when a stream is over on the wire. */
    private readonly onOver: () => void,
  ) {
    this.queueBytes = limits.streamQueueBytes;
    this.#initialCredit = announcedLimits(limits).initialCreditBytes;
  }

  get size(): number {
    return this.#streams.size;
  }

  now(): number {
    return performance.now();
  }

  tick(): void {
    this.#abandoned = 0;
  }

  peerAllows(limits: WireLimits): void {
    const more = limits.initialCreditBytes - this.#peerLimits.initialCreditBytes;
    this.#peerLimits = limits;
    if (more > 0) for (const stream of this.#streams.values()) stream.takeCredit(more, Infinity);
  }

  /** Opens the next stream from this end. Throws ERR_TUNNEL_FULL. */
  open(): SessionStream {
    const most = Math.min(this.limits.streams, this.#peerLimits.streams);
    if (this.#streams.size >= most || this.#lastId === maxStreamId) {
      throw new ClusterConnectError("ERR_TUNNEL_FULL", `${String(this.#streams.size)} streams are open`);
    }
    if (!this.memory.take(this.#initialCredit)) {
      throw new ClusterConnectError("ERR_TUNNEL_FULL", "the bound of held bytes is reached");
    }
    this.#lastId += 1;
    this.outbox.control(encodeOpen(this.#lastId));
    return this.#add(this.#lastId);
  }

  /** Takes the other end's OPEN: a stream, a violation, or undefined if it was refused as `refusal` or for want of room. */
  takeOpen(id: number, refusal: ResetCode | undefined): SessionStream | Violation | undefined {
    if (id !== this.#lastId + 1) return violation(`OPEN of stream ${String(id)} out of turn`);
    this.#lastId = id;
    const isBusy = this.#streams.size >= this.limits.streams || this.#abandoned >= this.limits.streams;
    const code = refusal ?? (isBusy || !this.memory.take(this.#initialCredit) ? "busy" : undefined);
    if (code === undefined) return this.#add(id);
    // Without a reason: the answer to a flood must not be longer than the flood.
    this.outbox.control(encodeReset(id, resetCodes[code], ""));
    this.resetHere.add(id);
    return undefined;
  }

  takeData(id: number, payload: Buffer): Violation | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#absent(id, "DATA");
    this.path.receives(id, payload.length, this.now());
    return stream.takeData(payload);
  }

  takeFinish(id: number): Violation | undefined {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream.takeFinish();
    const problem = this.#absent(id, "FIN");
    this.resetHere.delete(id);
    return problem;
  }

  takeReset(id: number, code: number, reason: string): Violation | undefined {
    if (id > this.#lastId) return violation(`RESET of stream ${String(id)}, which was never opened`);
    this.resetHere.delete(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return undefined;
    if (stream.sent === 0) this.#abandoned += 1;
    stream.takeReset(code, reason);
    return undefined;
  }

  takeCredit(id: number, bytes: number): Violation | undefined {
    if (id > this.#lastId) return violation(`CREDIT for stream ${String(id)}, which was never opened`);
    // Over: sent before the other end knew.
    return this.#streams.get(id)?.takeCredit(bytes, this.#peerLimits.creditCeilingBytes);
  }

  streamOver(stream: SessionStream, byUs: boolean): void {
    if (!this.#streams.delete(stream.id)) return;
    this.path.closed(stream.id);
    if (byUs && !stream.peerHasFinished) this.resetHere.add(stream.id);
    this.onOver();
  }

  loseAll(reason: string): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.lose(reason);
  }

  #add(id: number): SessionStream {
    const window = new ReceiveWindow(
      this.#initialCredit,
      Math.max(this.#initialCredit, this.limits.creditCeilingBytes),
      this.memory,
      this.path,
    );
    const stream = new SessionStream(id, this.#peerLimits.initialCreditBytes, window, this);
    this.#streams.set(id, stream);
    return stream;
  }

  /** DATA or FIN for a stream that is not open. */
  #absent(id: number, frame: string): Violation | undefined {
    if (this.resetHere.has(id)) return undefined;
    const state = id > this.#lastId ? "was never opened" : "is over";
    return violation(`${frame} for stream ${String(id)}, which ${state}`);
  }
}
