/**
 * The wire of one session, readable aloud. A link carries binary messages; a message carries one or more whole
 * frames; every integer is big-endian.
 *
 *   0        1                 4                         8
 *   ┌────────┬─────────────────┬─────────────────────────┬───────────────
 *   │ type   │ payload length  │ stream (0 = session)    │ payload …
 *   │ u8     │ u24             │ u32                     │
 *
 * A session, in order: HELLO each way, first and once. Then, at any time, PING answered by PONG. The client OPENs
 * streams, whose DATA may follow at once; each direction ends with FIN, or both at once with RESET. CREDIT lets the
 * other end send more. GOAWAY says that no new stream will be taken; those that are open go on.
 *
 * What may change without a new subprotocol: new types from 0x80 up, which the other end skips, and new features in
 * HELLO. Any other change is a new version (docs/adr).
 */
export const frameType = {
  /** Session. JSON, see hello.ts: the first frame each way, within `helloTimeoutMs`. */
  hello: 0x01,
  /** Session. Eight bytes that the PONG repeats; for liveness and round-trip time. */
  ping: 0x02,
  pong: 0x03,
  /** Session. u32 code (goAwayCodes), then a reason in UTF-8: no new streams here. */
  goAway: 0x04,
  /** Stream, client only, empty. Ids rise by one from 1 and are never used again. */
  open: 0x10,
  /** Stream. One byte or more, paid for with credit. */
  data: 0x11,
  /** Stream, empty: this direction has ended, the other goes on. */
  finish: 0x12,
  /** Stream. u32 code (resetCodes), then a reason in UTF-8: both directions are gone. Loss or refusal, never success. */
  reset: 0x13,
  /** Stream. u32, not 0: the sender may send that many more bytes of DATA. */
  credit: 0x14,
} as const;

/** Types from here to 0xff that this end does not know are skipped; an unknown one below ends the session. */
export const firstSkippableType = 0x80;

export const headerBytes = 8;
export const pingBytes = 8;
export const creditBytes = 4;
/** The code in front of the reason of RESET and GOAWAY. */
export const codeBytes = 4;
/** The reason of RESET and GOAWAY, in bytes of UTF-8. Ours are cut to this; a longer one ends the session. */
export const maxReasonBytes = 512;
export const maxStreamId = 0xffff_ffff;
