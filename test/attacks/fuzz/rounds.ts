/**
 * How long to go on. In `npm test` a fixed number of rounds from a fixed seed; `npm run fuzz` sets FUZZ_SECONDS, of
 * which each suite takes its share, and FUZZ_SEED.
 */
import { Random } from "./random";

const seconds = Number(process.env["FUZZ_SECONDS"] ?? 0);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_260_101);

export interface Rounds {
  readonly few: number;
  /** Part of FUZZ_SECONDS. */
  readonly share: number;
}

/** Jest's own limit for one such test, in ms. */
export const fuzzTimeoutMs = seconds * 1_000 + 120_000;

/** Runs rounds until there are enough; a round that fails says how to see it again. */
export async function runRounds(
  { few, share }: Rounds,
  round: (random: Random) => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + seconds * share * 1_000;
  const random = new Random(seed);
  for (let count = 0; seconds > 0 ? performance.now() < deadline : count < few; count += 1) {
    try {
      await round(random.fork());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`round ${count} of seed ${seed} (npm run fuzz -- --seed ${seed}): ${message}`, {
        cause: error,
      });
    }
  }
}
