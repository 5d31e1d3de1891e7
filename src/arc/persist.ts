import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, type ClusterConnectError } from "../runtime/errors";
import { retryAfterOf } from "../runtime/retry-after";

/**
 * Tries until it succeeds, with growing pauses, and as late as the other side asks for; tells each failure. Rejects
 * when `signal` aborts, and with nothing else: whether a failure is worth another attempt is decided by who is told.
 */
export async function persist<Value>(
  attempt: () => Promise<Value>,
  signal: AbortSignal,
  onFailure: (error: ClusterConnectError) => void,
): Promise<Value> {
  const backoff = createBackoff({ firstMs: [200, 400], maxMs: 10_000 });
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      onFailure(asClusterConnectError(error, "client proxy"));
      await delay(Math.max(backoff.nextMs(), retryAfterOf(error)), signal);
    }
  }
}
