/** One of the two WebSockets of a splice, as a raw socket after its 101. */
import type { Socket } from "node:net";
import { FrameForwarder } from "./frame-forwarder";
import { encodeControlFrame, opcodes } from "./frame-header";

export interface LegEvents {
  /** Bytes for the other leg, in order. False: the other leg holds enough, this one should not be read for now. */
  forward(pieces: readonly Buffer[]): boolean;
  /** This leg's own Close frame has come; nothing that follows it counts. */
  closed(payload: Buffer): void;
  /** This leg broke RFC 6455. */
  violated(reason: string): void;
  /** This leg's connection is gone, or ended without a Close frame before it. */
  gone(reason: string): void;
}

export class Leg {
  readonly #forwarder: FrameForwarder;
  /** What one chunk gave out: it goes on in one write, however many small frames it held. */
  #pieces: Buffer[] = [];
  #pingPayload: Buffer | undefined;
  #wasHeard = true;
  #silentPeriods = 0;
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
      forward: (bytes) => this.#pieces.push(bytes),
      control: (opcode, payload) => this.#onControl(opcode, payload),
      violation: (reason) => {
        this.#flush();
        events.violated(reason);
      },
    });
  }

  /** Begins to read; `head` is what came behind the handshake. */
  start(head: Buffer): void {
    const { socket, events } = this;
    socket.setNoDelay(true);
    socket.allowHalfOpen = true;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("end", () => {
      // A client may end its connection right behind its Close frame, and go on reading.
      if (!this.hasClosed) events.gone("ended without a close");
    });
    socket.on("close", () => events.gone("connection lost"));
    if (socket.destroyed) return events.gone("connection lost");
    socket.resume();
    if (head.length > 0) this.#onData(head);
  }

  /** Whether a frame of our own may be sent to the *other* leg now: this one's frames go there. */
  get atFrameBoundary(): boolean {
    return this.#forwarder.atFrameBoundary;
  }

  /** Bytes that wait here for a far end which does not take them. */
  get heldBytes(): number {
    return this.socket.writableLength;
  }

  /**
   * One period is over: whether the far end is alive, as far as can be told. One that we do not read, or that does not
   * take what it was sent, cannot be asked; the network itself gives it up if it is dead.
   */
  isAlive(): boolean {
    const canTell = !this.wasClosed && this.heldBytes === 0 && !this.socket.isPaused();
    this.#silentPeriods = this.#wasHeard || !canTell ? 0 : this.#silentPeriods + 1;
    this.#wasHeard = false;
    return this.#silentPeriods < maxSilentPeriods;
  }

  ping(payload: Buffer): void {
    this.#pingPayload = payload;
    this.socket.write(encodeControlFrame(opcodes.ping, payload));
  }

  /** Sends bytes of the other leg. False when more than `maxHeldBytes` wait; a `drain` event will follow. */
  send(pieces: readonly Buffer[], maxHeldBytes: number): boolean {
    const { socket } = this;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    return socket.writableLength <= maxHeldBytes;
  }

  /** Sends a Close frame; the far end may still be sending. */
  closeWith(frame: Buffer): void {
    if (this.wasClosed) return;
    this.wasClosed = true;
    if (!this.socket.destroyed) this.socket.write(frame);
  }

  #onData(chunk: Buffer): void {
    this.#wasHeard = true;
    this.receivedBytes += chunk.length;
    if (this.hasClosed) return;
    this.#forwarder.push(chunk);
    this.#flush();
  }

  #onControl(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.close) {
      this.#flush();
      this.hasClosed = true;
      this.#forwarder.stop();
      return this.events.closed(payload);
    }
    // The answer to our own ping is nobody else's business; a foreign one belongs to the other end.
    if (opcode === opcodes.pong && this.#pingPayload?.equals(payload)) return;
    this.#pieces.push(encodeControlFrame(opcode, payload));
  }

  #flush(): void {
    if (this.#pieces.length === 0) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    if (!this.events.forward(pieces)) this.socket.pause();
  }
}

/** Pings that may go unanswered. */
const maxSilentPeriods = 2;
