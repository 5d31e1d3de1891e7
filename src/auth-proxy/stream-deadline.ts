/**
 * How long a request may go on. Kubernetes itself checks a token once, when a request comes in: a watch or a shell
 * that was opened with it outlives it. Where that is too long, what still runs is cut, and cut in such a way that
 * no client takes it for an end.
 */
import { ClusterConnectError } from "../runtime/errors";
import type { AuthProxySettings } from "./settings";

export interface StreamDeadline {
  /** Aborted when the time is over, with a ClusterConnectError as reason. */
  readonly signal: AbortSignal;
  /** The request is over; nothing will be aborted any more. */
  clear(): void;
}

/** setTimeout's longest delay, in milliseconds; a longer one would fire at once. */
const longestTimeout = 2_147_483_647;

/** Starts to count now. `expiresAtMs` is the token's `exp`, in milliseconds since the epoch, or Infinity. */
export function startDeadline(
  { end, maxAgeMs }: AuthProxySettings["streams"],
  expiresAtMs: number,
  now: () => number = Date.now,
): StreamDeadline {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const cutAt = (atMs: number, detail: string) => {
    const left = atMs - now();
    timer = setTimeout(
      () => {
        if (left > longestTimeout) return cutAt(atMs, detail);
        controller.abort(new ClusterConnectError("ERR_AUTH_PROXY_STREAM_EXPIRED", detail));
      },
      Math.min(Math.max(left, 0), longestTimeout),
    );
  };
  if (end === "expiry" && expiresAtMs < Infinity)
    cutAt(expiresAtMs, "the token that it began with has expired");
  if (end === "maxAge") cutAt(now() + maxAgeMs, `it has run for ${String(maxAgeMs)} ms`);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
