/** Frames to bytes. DATA is a header only: its payload is sent beside it, never copied. */
import { codeBytes, frameType, headerBytes, maxReasonBytes, creditBytes } from "./frames";
import { maxHelloBytes } from "./limits";
import { cutUtf8 } from "./reason";

/** The header of a frame whose payload of `length` bytes follows as a part of its own. */
export function encodeHeader(type: number, stream: number, length: number): Buffer {
  return writeHeader(Buffer.allocUnsafe(headerBytes), type, stream, length);
}

/** Throws a RangeError above `maxHelloBytes`. */
export function encodeHello(hello: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(hello), "utf8");
  if (json.length > maxHelloBytes) throw new RangeError(`HELLO of ${String(json.length)} bytes`);
  return Buffer.concat([encodeHeader(frameType.hello, 0, json.length), json]);
}

/** PING or PONG; `payload` is the eight bytes to be repeated. */
export function encodePing(type: typeof frameType.ping | typeof frameType.pong, payload: Uint8Array): Buffer {
  return Buffer.concat([encodeHeader(type, 0, payload.length), payload]);
}

export function encodeOpen(stream: number): Buffer {
  return encodeHeader(frameType.open, stream, 0);
}

export function encodeFinish(stream: number): Buffer {
  return encodeHeader(frameType.finish, stream, 0);
}

export function encodeCredit(stream: number, bytes: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + creditBytes);
  writeHeader(frame, frameType.credit, stream, creditBytes);
  frame.writeUInt32BE(bytes, headerBytes);
  return frame;
}

export function encodeReset(stream: number, code: number, reason: string): Buffer {
  return encodeCoded(frameType.reset, stream, code, reason);
}

export function encodeGoAway(code: number, reason: string): Buffer {
  return encodeCoded(frameType.goAway, 0, code, reason);
}

function encodeCoded(type: number, stream: number, code: number, reason: string): Buffer {
  const text = cutUtf8(reason, maxReasonBytes);
  const frame = Buffer.allocUnsafe(headerBytes + codeBytes + text.length);
  writeHeader(frame, type, stream, codeBytes + text.length);
  frame.writeUInt32BE(code, headerBytes);
  text.copy(frame, headerBytes + codeBytes);
  return frame;
}

function writeHeader(target: Buffer, type: number, stream: number, length: number): Buffer {
  target[0] = type;
  target.writeUIntBE(length, 1, 3);
  target.writeUInt32BE(stream, 4);
  return target;
}
