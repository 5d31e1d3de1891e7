/**
 * What a session needs of the link under it: whole binary messages, in order, and a way to know how much is
 * waiting. Everything above this port runs in memory as well as over a WebSocket.
 */
export interface Transport {
  /** Queues one binary message made of `parts`, which the transport may keep until they are sent. Never throws. */
  send(parts: readonly Uint8Array[]): void;
  /** Bytes taken by `send` that have not yet been handed to the network. */
  readonly bufferedBytes: number;
  /** Names the receiver; called once, and nothing is delivered before it has returned. */
  attach(handler: TransportHandler): void;
  /** Stops and resumes delivery of messages, so that a flood stays in the network. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes in order with a WebSocket close code. */
  close(code: number, reason: string): void;
  /** Drops the link now; the far end sees a loss. */
  abort(): void;
}

export interface TransportHandler {
  message(data: Buffer): void;
  /** The far end sent a text message, which this protocol does not know. */
  textMessage(): void;
  /** `bufferedBytes` has fallen since the last call; room may have been made. */
  drained(): void;
  /** The link is gone. Called once, last. `code` 1006 means that it was lost without a close. */
  closed(code: number, reason: string): void;
}
