/** Every bound of a session, named with its unit, and its default. Each can be set; docs/configuration.md says where. */

/**
 * The bounds that the other end must keep to. HELLO announces them, and may only raise them, because before HELLO
 * the other end has gone by the defaults already.
 */
export interface WireLimits {
  /** One link message. */
  readonly messageBytes: number;
  /** The payload of one DATA frame. */
  readonly dataBytes: number;
  /** What may be sent on a stream, in each direction, before its first CREDIT. */
  readonly initialCreditBytes: number;
  /** Granted and not yet received never exceeds this. */
  readonly creditCeilingBytes: number;
  /** Streams open at once. */
  readonly streams: number;
}

export interface SessionLimits extends WireLimits {
  /** Bytes granted or held for all streams of a session; see HeldMemory. */
  readonly heldBytes: number;
  /** While this much waits in the link, DATA waits in its stream, where it can still be overtaken or discarded. */
  readonly unsentBytes: number;
  /** Answers (PONG, RESET, CREDIT) waiting to be sent; above it nothing more is read, so that a flood stops itself. */
  readonly unsentControlBytes: number;
  /** What one stream keeps that its writer has written and that has not been sent; above it `write` says false. */
  readonly streamQueueBytes: number;
  /** From the start of the session to the other end's HELLO. */
  readonly helloTimeoutMs: number;
  /** Silence after which PING asks whether the other end is there. */
  readonly pingAfterMs: number;
  /** Silence after which it is not. */
  readonly deadAfterMs: number;
}

export const defaultWireLimits: WireLimits = {
  messageBytes: 256 * 1024,
  dataBytes: 64 * 1024,
  initialCreditBytes: 128 * 1024,
  creditCeilingBytes: 4 * 1024 * 1024,
  streams: 512,
};

export const defaultLimits: SessionLimits = {
  ...defaultWireLimits,
  heldBytes: 64 * 1024 * 1024,
  unsentBytes: 128 * 1024,
  unsentControlBytes: 64 * 1024,
  streamQueueBytes: 128 * 1024,
  helloTimeoutMs: 10_000,
  pingAfterMs: 10_000,
  deadAfterMs: 15_000,
};

/** The JSON of HELLO. A bound of its own, which cannot be negotiated: HELLO is what negotiates. */
export const maxHelloBytes = 64 * 1024;

/** Bytes granted or held by all sessions of one process. */
export const defaultProcessHeldBytes = 256 * 1024 * 1024;

/**
 * What we announce: our bounds where they are wider than the defaults, else the defaults. A bound that was set lower
 * still holds for what we send, grant and accept as streams, which a peer cannot mistake for a breach of its own.
 */
export function announcedLimits(limits: SessionLimits): WireLimits {
  const atLeastDefault = (name: keyof WireLimits) => Math.max(limits[name], defaultWireLimits[name]);
  return {
    messageBytes: atLeastDefault("messageBytes"),
    dataBytes: atLeastDefault("dataBytes"),
    initialCreditBytes: atLeastDefault("initialCreditBytes"),
    creditCeilingBytes: atLeastDefault("creditCeilingBytes"),
    streams: atLeastDefault("streams"),
  };
}
