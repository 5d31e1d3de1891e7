import type { IncomingHttpHeaders } from "node:http";
import { isErrorCode, type ErrorCode } from "../runtime/errors";
import { readRetryAfter } from "../runtime/retry-after";
import { refusalCodeHeader } from "./refusal-code";

/**
 * The relay answered a WebSocket handshake with an HTTP status. `reason` is its status line, from the wire. A
 * Retry-After of its is the cause.
 */
export class HandshakeRefused extends Error {
  override readonly name = "HandshakeRefused";

  constructor(
    readonly status: number,
    readonly reason: string,
    readonly headers: IncomingHttpHeaders = {},
  ) {
    super(`the relay answered ${String(status)} ${reason.slice(0, 512)}`.trimEnd(), {
      cause: readRetryAfter(headers["retry-after"]),
    });
  }

  /** Why, if the relay says so in a word of ours. */
  get code(): ErrorCode | undefined {
    const code = this.headers[refusalCodeHeader.toLowerCase()];
    return isErrorCode(code) ? code : undefined;
  }
}
