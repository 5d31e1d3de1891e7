/**
 * Bytes that peers may make us hold: credit granted and not yet used, and bytes received and not yet read. One for
 * the process, one within it for each session. Only what can be granted is counted, so a peer that keeps to its
 * credit is never cut; a bound that is reached keeps windows from growing and streams from opening instead.
 */
export class HeldMemory {
  #used = 0;

  constructor(
    readonly limitBytes: number,
    private readonly whole?: HeldMemory,
  ) {}

  get used(): number {
    return this.#used;
  }

  /** For a new stream. False: there is no room. */
  take(bytes: number): boolean {
    return this.#takeUpTo(bytes, 1);
  }

  /** For a window that would grow. A part is kept back, so that grown windows cannot keep new streams out. */
  takeForGrowth(bytes: number): boolean {
    return this.#takeUpTo(bytes, growthShare);
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.whole?.give(bytes);
  }

  #takeUpTo(bytes: number, share: number): boolean {
    if (this.#used + bytes > this.limitBytes * share) return false;
    if (this.whole !== undefined && !this.whole.#takeUpTo(bytes, share)) return false;
    this.#used += bytes;
    return true;
  }
}

const growthShare = 0.5;
