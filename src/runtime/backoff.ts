export interface BackoffOptions {
  /** The first delay is drawn from this range, so that a crowd does not come back as one. */
  readonly firstMs?: readonly [number, number];
  readonly maxMs?: number;
  /** A connection that lasted this long has succeeded: the next loss begins at the first delay again. */
  readonly resetAfterMs?: number;
  readonly random?: () => number;
}

export interface Backoff {
  /** The delay before the next attempt, in milliseconds. */
  nextMs(): number;
  /** Tells how long the last connection lasted; a short one does not reset the ladder. */
  lasted(ms: number): void;
}

/** Jittered exponential back-off: 20–100 ms first, doubling, half of it random, at most 10 s. */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { firstMs = [20, 100], maxMs = 10_000, resetAfterMs = 5_000, random = Math.random } = options;
  const draw = () => firstMs[0] + random() * (firstMs[1] - firstMs[0]);
  let base = 0;
  return {
    nextMs() {
      if (base === 0) {
        base = draw();
        return base;
      }
      base = Math.min(base * 2, maxMs);
      return base / 2 + (random() * base) / 2;
    },
    lasted(ms) {
      if (ms >= resetAfterMs) base = 0;
    },
  };
}
