/**
 * One direction of a splice: takes a client's masked bytes as they arrive and gives out the same frames unmasked,
 * piece by piece, so that nothing is held back until a frame or a message is complete.
 */
import { headerBytes, isControl, maxHeaderBytes, parseHeader, type FrameHeader } from "./frame-header";
import { unmask } from "./unmask";

export interface FrameSink {
  /** Bytes to send on at once: a header, a piece of payload, or both. */
  forward(bytes: Buffer): void;
  /** A complete control frame, unmasked. */
  control(opcode: number, payload: Buffer): void;
  /** The frames are not what RFC 6455 allows; nothing more will be given out. */
  violation(reason: string): void;
}

const maskBytes = 4;

export class FrameForwarder {
  readonly #partialHeader = Buffer.alloc(maxHeaderBytes);
  #partialBytes = 0;
  #frame: FrameHeader | undefined;
  #payloadSeen = 0;
  #controlPayload: Buffer[] = [];
  #insideMessage = false;
  #isOver = false;

  constructor(private readonly sink: FrameSink) {}

  /** Whether a frame of our own may be put in now without landing inside another. */
  get atFrameBoundary(): boolean {
    return this.#frame === undefined || isControl(this.#frame.opcode);
  }

  /** Gives out nothing more: what follows a Close frame does not count. */
  stop(): void {
    this.#isOver = true;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#isOver) {
      at = this.#frame === undefined ? this.#pushHeader(chunk, at) : this.#pushPayload(chunk, at);
    }
  }

  /** Consumes header bytes from `at`; returns where to go on. */
  #pushHeader(chunk: Buffer, at: number): number {
    const whole =
      this.#partialBytes === 0 && chunk.length - at >= 2 ? headerBytes(chunk[at + 1] ?? 0) : Infinity;
    if (at + whole <= chunk.length) {
      this.#begin(chunk.subarray(at, at + whole));
      // The outgoing header is the mask key shorter: written into the end of the incoming one, it goes out with
      // the payload in a single piece.
      return this.#frame !== undefined && this.#forwardsData()
        ? this.#forwardInPlace(chunk, at, whole)
        : at + whole;
    }
    this.#partialHeader[this.#partialBytes++] = chunk[at] ?? 0;
    const wanted = this.#partialBytes < 2 ? 2 : headerBytes(this.#partialHeader[1] ?? 0);
    if (this.#partialBytes >= 2 && this.#partialBytes === wanted) {
      const header = Buffer.from(this.#partialHeader.subarray(0, wanted));
      this.#partialBytes = 0;
      this.#begin(header);
      if (this.#frame !== undefined && this.#forwardsData()) this.sink.forward(withoutMask(header));
      this.#finishIfComplete();
    }
    return at + 1;
  }

  #forwardInPlace(chunk: Buffer, at: number, whole: number): number {
    const frame = this.#frame as FrameHeader;
    const payloadAt = at + whole;
    const end = Math.min(chunk.length, payloadAt + frame.payloadBytes);
    if (frame.isMasked) unmask(chunk.subarray(payloadAt, end), frame.maskKey, 0);
    chunk.copyWithin(at + maskBytes, at, payloadAt - maskBytes);
    chunk[at + maskBytes + 1] = (chunk[at + maskBytes + 1] ?? 0) & 0x7f;
    this.#payloadSeen = end - payloadAt;
    this.sink.forward(chunk.subarray(at + maskBytes, end));
    this.#finishIfComplete();
    return end;
  }

  #begin(header: Buffer): void {
    const frame = parseHeader(header);
    if (typeof frame === "string") return this.#violate(frame);
    const continues = frame.opcode === 0;
    if (!isControl(frame.opcode)) {
      if (continues !== this.#insideMessage) return this.#violate("a message is not continued as it began");
      this.#insideMessage = !frame.fin;
    }
    this.#frame = frame;
    this.#payloadSeen = 0;
    if (isControl(frame.opcode)) this.#finishIfComplete();
  }

  #pushPayload(chunk: Buffer, at: number): number {
    const frame = this.#frame as FrameHeader;
    const end = Math.min(chunk.length, at + frame.payloadBytes - this.#payloadSeen);
    const piece = chunk.subarray(at, end);
    if (frame.isMasked) unmask(piece, frame.maskKey, this.#payloadSeen);
    this.#payloadSeen += piece.length;
    if (isControl(frame.opcode)) this.#controlPayload.push(piece);
    else if (piece.length > 0) this.sink.forward(piece);
    this.#finishIfComplete();
    return end;
  }

  #finishIfComplete(): void {
    const frame = this.#frame;
    if (frame === undefined || this.#payloadSeen < frame.payloadBytes) return;
    this.#frame = undefined;
    if (!isControl(frame.opcode)) return;
    const payload = Buffer.concat(this.#controlPayload.splice(0));
    this.sink.control(frame.opcode, payload);
  }

  #forwardsData(): boolean {
    return this.#frame !== undefined && !isControl(this.#frame.opcode);
  }

  #violate(reason: string): void {
    this.#isOver = true;
    this.sink.violation(reason);
  }
}

function withoutMask(header: Buffer): Buffer {
  const bare = Buffer.from(header.subarray(0, header.length - maskBytes));
  bare[1] = (bare[1] ?? 0) & 0x7f;
  return bare;
}
