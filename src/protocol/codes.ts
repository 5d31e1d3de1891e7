/** The numbers on the wire that say why, and their names. Names are used everywhere else. */

/** Why a stream was reset. Only `busy` and `goingAway` promise that nothing of it reached its target. */
export const resetCodes = {
  /** The agent could not reach its target. */
  targetUnreachable: 1,
  /** A bound was reached; a later attempt may succeed. */
  busy: 2,
  /** Not allowed. */
  refused: 3,
  /** The connection at that end broke. */
  lost: 4,
  /** That end was shown something it does not understand. */
  protocol: 5,
  /** That end has given up on the stream. */
  cancelled: 6,
  /** That end takes no new streams; another session may. */
  goingAway: 7,
} as const;
export type ResetCode = keyof typeof resetCodes;

/** Why no new stream is taken. */
export const goAwayCodes = { shuttingDown: 1, credentialExpired: 2, replaced: 3 } as const;
export type GoAwayCode = keyof typeof goAwayCodes;

/** Why a session ended, as the code of the WebSocket close (RFC 6455 §7.4; 4000–4999 are for private use). */
export const closeCodes = {
  /** In order, by either end. */
  finished: 1000,
  /** The link was lost without a close; never sent. */
  lost: 1006,
  internal: 1011,
  /** Bytes that are no frame, or a frame that does not fit where it stands. */
  protocolViolation: 4400,
  /** A message, frame, count or credit above its bound. */
  limitExceeded: 4413,
  helloTimeout: 4408,
  /** The other end speaks another version. */
  versionMismatch: 4426,
  /** The other end's HELLO names another cluster. */
  wrongCluster: 4421,
  peerSilent: 4504,
} as const;
export type CloseCode = keyof typeof closeCodes;

/** The name of a number from the wire. One that we do not know is still a loss, never a success. */
export function resetCodeName(code: number): ResetCode {
  return nameOf(resetCodes, code) ?? "lost";
}

export function goAwayCodeName(code: number): GoAwayCode {
  return nameOf(goAwayCodes, code) ?? "shuttingDown";
}

export function closeCodeName(code: number): CloseCode | undefined {
  return nameOf(closeCodes, code);
}

function nameOf<Name extends string>(codes: Readonly<Record<Name, number>>, code: number): Name | undefined {
  return (Object.keys(codes) as Name[]).find((name) => codes[name] === code);
}
