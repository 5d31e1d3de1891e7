import type { CloseCode } from "./codes";

/** How the other end broke the protocol. There is one outcome: the session ends with `code`. */
export class Violation {
  constructor(
    readonly code: CloseCode,
    /** What was wrong, for both ends' logs; says nothing of payloads. */
    readonly reason: string,
  ) {}
}

export const violation = (reason: string): Violation => new Violation("protocolViolation", reason);
export const excess = (reason: string): Violation => new Violation("limitExceeded", reason);
