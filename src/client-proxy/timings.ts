/** How long each phase of the start took, in milliseconds; one clock for all of them. */
export class Timings {
  readonly #started = performance.now();
  readonly #marks: Record<string, number> = {};
  #last = this.#started;

  mark(phase: string): void {
    const now = performance.now();
    this.#marks[phase] = Math.round(now - this.#last);
    this.#last = now;
  }

  elapsed(): Record<string, number> {
    return { ...this.#marks, total: Math.round(this.#last - this.#started) };
  }
}
