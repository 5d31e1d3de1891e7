import type { ResetCode } from "../protocol/codes";

export type { ResetCode };

/**
 * One ordered byte stream in each direction inside a session: one TCP connection of a caller. Not a Node stream:
 * the calls below are all there is between a socket and a frame, because they run for every chunk.
 */
export interface TunnelStream {
  readonly id: number;
  /**
   * Sends `chunk`, which the stream keeps and nobody may change any more. False: enough is waiting, write again
   * after `drain` (what is written all the same is kept, so the caller is the bound). Ignored after `finish` or a reset.
   */
  write(chunk: Buffer): boolean;
  /** This end has written everything. The other direction goes on. */
  finish(): void;
  /** Gives both directions up, together with what is still waiting. Not for a good end. No-op once the stream is over. */
  reset(code: ResetCode, reason: string): void;
  /** Names the reader, once. Until then what arrives is kept, within the stream's credit. Nothing is called before it returns. */
  attach(handler: StreamHandler): void;
  /**
   * The reader is done with `bytes` of what `data` gave it, at once or later. It gets its next chunk when it is done
   * with all of the last one, and the far end gets its credit back: this is all the back-pressure there is.
   */
  consumed(bytes: number): void;
  /** Bytes of DATA that have come from the other end. */
  readonly received: number;
  /** Bytes of DATA handed to the link. */
  readonly sent: number;
}

/** What a stream tells its reader and writer. After `reset` or `closed` nothing more is called. */
export interface StreamHandler {
  /** Bytes from the other end; answer with `consumed`. */
  data(chunk: Buffer): void;
  /** `write` said false, and may be called again. */
  drain(): void;
  /** The other end has written everything, and `data` has seen it all. */
  finished(): void;
  /** Both directions are gone. `local`: by our own `reset`, or because the session ended; else the far end said so. */
  reset(code: ResetCode, reason: string, local: boolean): void;
  /** Both directions have ended well: `finished` was called, and everything written here is with the link. */
  closed?(): void;
}
