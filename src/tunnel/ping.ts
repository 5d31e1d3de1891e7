import { pingBytes } from "../protocol/frames";

/** The one PING that may be under way: what it carried, when it left, and how much had been exchanged by then. */
export class OutstandingPing {
  #count = 0;
  #sent: { payload: Buffer; at: number; exchanged: number } | undefined;

  get isUnderWay(): boolean {
    return this.#sent !== undefined;
  }

  /** The payload of a new PING. */
  start(now: number, exchangedBytes: number): Buffer {
    this.#count += 1;
    const payload = Buffer.alloc(pingBytes);
    payload.writeUInt32BE(this.#count % 0x1_0000_0000, 4);
    this.#sent = { payload, at: now, exchanged: exchangedBytes };
    return payload;
  }

  /** What a PONG tells; undefined if it answers no PING of ours, which is ignored. */
  answered(
    payload: Buffer,
    now: number,
    exchangedBytes: number,
  ): { roundTripMs: number; wasIdle: boolean } | undefined {
    const sent = this.#sent;
    if (sent === undefined || !sent.payload.equals(payload)) return undefined;
    this.#sent = undefined;
    return { roundTripMs: now - sent.at, wasIdle: exchangedBytes - sent.exchanged < idleBytes };
  }
}

/** So little under way at the same time cannot have delayed a PING noticeably. */
const idleBytes = 16 * 1024;
