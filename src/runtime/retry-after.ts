/** A service's own word on when to ask again (RFC 9110 §10.2.3), carried as an error's cause. */
export class RetryAfter extends Error {
  override readonly name = "RetryAfter";

  constructor(readonly ms: number) {
    super(`asked to wait ${String(Math.ceil(ms / 1_000))} s`);
  }
}

/** A service that asks for more is asked again after this. */
const longestMs = 300_000;

/** Reads a Retry-After header, in seconds or as a date; undefined when there is none that can be read. */
export function readRetryAfter(header: string | string[] | undefined): RetryAfter | undefined {
  if (typeof header !== "string") return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : new RetryAfter(Math.min(Math.max(ms, 0), longestMs));
}

/** How long an error, or what caused it, asks to wait. 0 when it does not say. */
export function retryAfterOf(thrown: unknown): number {
  if (thrown instanceof RetryAfter) return thrown.ms;
  return thrown instanceof Error && thrown.cause !== undefined ? retryAfterOf(thrown.cause) : 0;
}
