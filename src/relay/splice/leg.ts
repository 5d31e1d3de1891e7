/** One of the two WebSockets of a splice, as a raw socket after its 101. */
import type { Socket } from "node:net";
import { FrameForwarder } from "./frame-forwarder";
import { encodeClose, encodeControlFrame, opcodes } from "./frame-header";

export interface LegEvents {
  /** Bytes for the other leg; returns false when it should not be sent more for now. */
  forward(bytes: Buffer): boolean;
  /** This leg's own Close frame has come. */
  closed(payload: Buffer): void;
  /** This leg is gone, or broke the protocol, without having closed. */
  lost(reason: string): void;
}

export class Leg {
  readonly #forwarder: FrameForwarder;
  #heardAt = performance.now();
  #pingPayload: Buffer | undefined;
  /** Its Close frame has come: nothing more is expected from it. */
  hasClosed = false;
  /** A Close frame has been sent to it: nothing more may be. */
  wasClosed = false;
  receivedBytes = 0;

  constructor(
    readonly socket: Socket,
    private readonly events: LegEvents,
  ) {
    this.#forwarder = new FrameForwarder({
      forward: (bytes) => {
        if (!events.forward(bytes)) socket.pause();
      },
      control: (opcode, payload) => this.#onControl(opcode, payload),
      violation: (reason) => events.lost(reason),
    });
  }

  start(head: Buffer): void {
    this.socket.setNoDelay(true);
    this.socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    this.socket.on("end", () => this.events.lost("ended without a close"));
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => this.events.lost("connection lost"));
    if (head.length > 0) this.#onData(head);
    this.socket.resume();
  }

  /** Whether a frame of our own may be sent to the *other* leg now: this one's frames go there. */
  get atFrameBoundary(): boolean {
    return this.#forwarder.atFrameBoundary;
  }

  /** Sends a ping of our own, or says that the last two periods brought nothing. */
  ping(payload: Buffer, silentSinceMs: number): "sent" | "dead" {
    if (performance.now() - this.#heardAt > silentSinceMs) return "dead";
    this.#pingPayload = payload;
    this.socket.write(encodeControlFrame(opcodes.ping, payload));
    return "sent";
  }

  close(code: number, reason: string): void {
    this.closeWith(encodeClose(code, reason));
  }

  /** Sends a Close frame and ends our direction; the far end may still be sending. */
  closeWith(frame: Buffer): void {
    if (this.wasClosed) return;
    this.wasClosed = true;
    this.socket.write(frame);
  }

  #onData(chunk: Buffer): void {
    this.#heardAt = performance.now();
    this.receivedBytes += chunk.length;
    this.#forwarder.push(chunk);
  }

  #onControl(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.close) return this.events.closed(payload);
    // The answer to our own ping is nobody else's business; a foreign one belongs to the other end.
    if (opcode === opcodes.pong && this.#pingPayload?.equals(payload)) return;
    if (!this.events.forward(encodeControlFrame(opcode, payload))) this.socket.pause();
  }
}
