import type { PathEstimate as Path } from "./receive-window";

/** What a session knows of the way to its other end: the round trip when little is under way, and who shares it. */
export class SessionPath implements Path {
  #samples: number[] = [];
  #lastReceiver: number | undefined;
  #sharedUntil = 0;

  get roundTripMs(): number | undefined {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples);
  }

  /**
   * Adds a measured round trip. One that shared the way with bulk data waited behind it in queues: it may only lower
   * the estimate, else full queues would widen the windows that fill them.
   */
  measured(roundTripMs: number, wasIdle: boolean): void {
    if (wasIdle) this.#samples = [...this.#samples.slice(1 - keptSamples), roundTripMs];
    else if (roundTripMs < (this.roundTripMs ?? Infinity)) this.#samples.push(roundTripMs);
  }

  /** Notes for whom bytes came. Two streams that receive in turn share the way, and feel each other's queues. */
  receives(stream: number, now: number): void {
    if (this.#lastReceiver === stream) return;
    if (this.#lastReceiver !== undefined) this.#sharedUntil = now + sharedForMs;
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
const sharedForMs = 1_000;
const sharedAllowanceMs = 2;
const aloneAllowanceMs = 8;
