import type { ErrorCode } from "../runtime/errors";

/** A gesture that the relay refuses, with the status that tells why. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    /** One sentence without a full stop, which the far end sees in the status line. */
    readonly sentence: string,
    /** A word for metrics and logs. */
    readonly reason: string,
    /** What an operator needs to see why, such as the claims that no rule matched; never shown to the far end. */
    readonly details: Readonly<Record<string, unknown>> = {},
    /** What the far end may decide by, where the status alone is not enough. */
    readonly code?: ErrorCode,
    /** When to come back, where that is known. */
    readonly retryAfterSeconds?: number,
  ) {
    super(sentence);
  }
}
