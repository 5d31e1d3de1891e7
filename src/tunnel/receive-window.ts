/**
 * How much the other end may send on one stream. The window starts small and follows rate × time: the rate at which
 * the reader takes bytes, and the time that they need for the way, measured while it was empty, plus an allowance for
 * the turns that each process on the way takes. A window wider than that does not carry more. It only fills queues
 * on the way, in which the requests of other streams then wait.
 */
import type { HeldMemory } from "./held-memory";

/** What a window needs to know of the way to the other end. */
export interface PathEstimate {
  readonly roundTripMs: number | undefined;
  /** What the processes on the way may take on top of the round trip without a gap in the flow. */
  allowanceMs(now: number): number;
}

export class ReceiveWindow {
  #size: number;
  /** Granted and not yet received. */
  #outstanding: number;
  /** Received and not yet consumed. */
  #held = 0;
  #measuredBytes = 0;
  #measuredSince = 0;
  #lastArrival = 0;

  /** `initialBytes` have been taken from `memory` already; the window gives back whatever it has in the end. */
  constructor(
    private readonly initialBytes: number,
    private readonly ceilingBytes: number,
    private readonly memory: HeldMemory,
    private readonly path: PathEstimate,
  ) {
    this.#size = initialBytes;
    this.#outstanding = initialBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Notes bytes that have come. False: more than was granted. `now` in milliseconds, of any steady clock. */
  receive(bytes: number, now: number): boolean {
    if (bytes > this.#outstanding) return false;
    this.#outstanding -= bytes;
    const roundTripMs = this.path.roundTripMs ?? 0;
    const gapMs = Math.max(minGapMs, gapRoundTrips * roundTripMs);
    // Nothing was held, so it was the writer who paused: that says nothing about the rate of the way.
    if (this.#held === 0 && now - this.#lastArrival > gapMs) this.#restartMeasuring(now);
    this.#lastArrival = now;
    this.#held += bytes;
    return true;
  }

  consume(bytes: number): void {
    this.#held -= bytes;
    this.#measuredBytes += bytes;
  }

  /** Whether enough has been consumed for a grant to be worth a frame. */
  get owesGrant(): boolean {
    return this.#size - this.#outstanding - this.#held >= this.#size * grantShare;
  }

  /** Bytes to grant now, after the window's size has been reviewed; often 0. */
  takeGrant(now: number): number {
    this.#review(now);
    const bytes = Math.max(0, this.#size - this.#outstanding - this.#held);
    this.#outstanding += bytes;
    return bytes;
  }

  /** Nothing more will come: only what is held still counts. */
  finish(): void {
    this.#outstanding = 0;
    this.#resize(this.#held);
  }

  /** After `finish`: gives back what the reader has taken since. */
  settle(): void {
    this.#resize(this.#held);
  }

  /** Nothing more will come, and what was held has been dropped. */
  drop(): void {
    this.#held = 0;
    this.finish();
  }

  #restartMeasuring(now: number): void {
    this.#measuredBytes = 0;
    this.#measuredSince = now;
  }

  #review(now: number): void {
    const roundTripMs = this.path.roundTripMs ?? 0;
    const elapsedMs = now - this.#measuredSince;
    if (elapsedMs < Math.max(minMeasureMs, roundTripMs)) return;
    const bytesPerMs = this.#measuredBytes / elapsedMs;
    this.#restartMeasuring(now);
    const underWay = bytesPerMs * roundTripMs;
    // All of the window is on its way all the time, so it is what limits the rate, and the rate cannot tell by how much.
    const isLimit = underWay >= this.#size * limitShare;
    const needed = underWay * roundTripGain + bytesPerMs * this.path.allowanceMs(now);
    const wanted = isLimit ? Math.max(needed, this.#size * 2) : needed;
    const target = Math.round(Math.min(Math.max(wanted, this.initialBytes), this.ceilingBytes));
    if (target > this.#size) {
      const growth = Math.min(target, this.#size * 2) - this.#size;
      if (this.memory.takeForGrowth(growth)) this.#size += growth;
    } else {
      const smaller = Math.max(target, Math.round(this.#size * shrinkShare));
      this.#resize(Math.max(smaller, this.#outstanding + this.#held));
    }
  }

  #resize(bytes: number): void {
    this.memory.give(this.#size - bytes);
    this.#size = bytes;
  }
}

/** More than 1 / limitShare, so that a window of the right size is not taken for the limit. */
const roundTripGain = 1.5;
const limitShare = 0.75;
/** A hiccup of the reader costs at most a quarter of the window. */
const shrinkShare = 0.75;
/** The part of a window that must be free before it is granted anew: fewer frames, but no gap in the flow. */
const grantShare = 0.25;
const minMeasureMs = 4;
const minGapMs = 20;
const gapRoundTrips = 4;
