import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again until `ask` gives something other than undefined. What it throws counts as "not yet", and the last of it
 * is told when the time is over, since that is the reason a reader looks for.
 */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let reason: unknown; ;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      reason = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${String(timeoutMs)} ms`, { cause: reason });
    }
    await delay(100);
  }
}
