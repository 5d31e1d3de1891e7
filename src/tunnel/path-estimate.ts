import type { PathEstimate as Path } from "./receive-window";

/** What a session knows of the way to its other end: the round trip when little is under way, and who shares it. */
export class SessionPath implements Path {
  #samples: number[] = [];
  #measured = 0;
  #lastReceiver: number | undefined;
  #sharedUntil = 0;

  get roundTripMs(): number | undefined {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples);
  }

  /** Whether a few more round trips should be measured at once: the first ones find cold code at every hop. */
  get isNew(): boolean {
    return this.#measured < firstSamples;
  }

  /**
   * Adds a measured round trip. One that shared the way with bulk data waited behind it in queues: it may only lower
   * the estimate, else full queues would widen the windows that fill them.
   */
  measured(roundTripMs: number, wasIdle: boolean): void {
    this.#measured += 1;
    if (wasIdle) this.#samples = [...this.#samples.slice(1 - keptSamples), roundTripMs];
    else if (roundTripMs < (this.roundTripMs ?? Infinity)) this.#samples.push(roundTripMs);
  }

  /**
   * Notes bytes that came for a stream. A few of them, between those of another stream, are an answer that somebody
   * waits for: while there are such streams, the queues on the way are kept short.
   */
  receives(stream: number, bytes: number, now: number): void {
    if (this.#lastReceiver === stream) return;
    if (this.#lastReceiver !== undefined && bytes < shortAnswerBytes) this.#sharedUntil = now + sharedForMs;
    this.#lastReceiver = stream;
  }

  closed(stream: number): void {
    if (this.#lastReceiver === stream) this.#lastReceiver = undefined;
  }

  allowanceMs(now: number): number {
    return now < this.#sharedUntil ? sharedAllowanceMs : aloneAllowanceMs;
  }
}

const keptSamples = 4;
const firstSamples = 8;
const shortAnswerBytes = 8 * 1024;
const sharedForMs = 1_000;
/**
 * Measured on loopback, through three processes on two cores: with the first, a small GET beside a download takes
 * about as long as it does through plain TLS hops; the second carries a lone download at full rate.
 */
const sharedAllowanceMs = 0.5;
const aloneAllowanceMs = 12;
