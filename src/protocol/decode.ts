/** Bytes to frames, without copying: payloads are views of the message. */
import { firstSkippableType, frameType, headerBytes } from "./frames";
import { codeBytes, creditBytes, maxReasonBytes, pingBytes } from "./frames";
import { maxHelloBytes, type WireLimits } from "./limits";
import { printable } from "./reason";
import { excess, violation, type Violation } from "./violation";

/**
 * Takes the frames of a message in order. A method that returns a violation ends the decoding; so does
 * `isDone`, which is asked between frames because a frame may have ended the session.
 */
export interface FrameReceiver {
  readonly isDone: boolean;
  /** Asked first for every frame, known or not. */
  admit(type: number): Violation | undefined;
  hello(json: string): Violation | undefined;
  ping(payload: Buffer): Violation | undefined;
  pong(payload: Buffer): Violation | undefined;
  goAway(code: number, reason: string): Violation | undefined;
  open(stream: number): Violation | undefined;
  data(stream: number, payload: Buffer): Violation | undefined;
  finish(stream: number): Violation | undefined;
  reset(stream: number, code: number, reason: string): Violation | undefined;
  credit(stream: number, bytes: number): Violation | undefined;
}

/** Hands every frame of `message` to `receiver`; returns what was wrong, or undefined. Never throws for what is in it. */
export function decodeMessage(
  message: Buffer,
  limits: Pick<WireLimits, "messageBytes" | "dataBytes">,
  receiver: FrameReceiver,
): Violation | undefined {
  if (message.length > limits.messageBytes) return excess(`message of ${String(message.length)} bytes`);
  if (message.length === 0) return violation("empty message");
  let offset = 0;
  while (offset < message.length) {
    if (message.length - offset < headerBytes) return violation("message ends inside a frame header");
    const type = message[offset] as number;
    const length = message.readUIntBE(offset + 1, 3);
    const stream = message.readUInt32BE(offset + 4);
    const start = offset + headerBytes;
    offset = start + length;
    if (offset > message.length) return violation("message ends inside a frame");
    const problem =
      receiver.admit(type) ??
      (type === frameType.data
        ? decodeData(message, start, offset, stream, limits.dataBytes, receiver)
        : decodeControl(message, start, offset, type, stream, receiver));
    if (problem !== undefined) return problem;
    if (receiver.isDone) return undefined;
  }
  return undefined;
}

function decodeData(
  message: Buffer,
  start: number,
  end: number,
  stream: number,
  maxBytes: number,
  receiver: FrameReceiver,
): Violation | undefined {
  if (stream === 0) return violation("DATA for stream 0");
  if (start === end) return violation("empty DATA");
  if (end - start > maxBytes) return excess(`DATA of ${String(end - start)} bytes`);
  return receiver.data(stream, message.subarray(start, end));
}

function decodeControl(
  message: Buffer,
  start: number,
  end: number,
  type: number,
  stream: number,
  receiver: FrameReceiver,
): Violation | undefined {
  if (type >= firstSkippableType) return undefined;
  const layout = layouts[type];
  if (layout === undefined) return violation(`unknown frame type ${String(type)}`);
  if (layout.ofSession !== (stream === 0)) return violation(`${layout.name} for stream ${String(stream)}`);
  const length = end - start;
  if (length > layout.max) return excess(`${layout.name} of ${String(length)} bytes`);
  if (length < layout.min) return violation(`${layout.name} of ${String(length)} bytes`);
  return layout.take(receiver, stream, message.subarray(start, end));
}

interface Layout {
  readonly name: string;
  readonly ofSession: boolean;
  readonly min: number;
  readonly max: number;
  readonly take: (receiver: FrameReceiver, stream: number, payload: Buffer) => Violation | undefined;
}

const maxCodedBytes = codeBytes + maxReasonBytes;

/** Every frame but DATA, by type: on the session or on a stream, and how long its payload may be. */
const layouts: Readonly<Record<number, Layout>> = {
  [frameType.hello]: {
    name: "HELLO",
    ofSession: true,
    min: 2,
    max: maxHelloBytes,
    take: (receiver, _, payload) => receiver.hello(payload.toString("utf8")),
  },
  [frameType.ping]: {
    name: "PING",
    ofSession: true,
    min: pingBytes,
    max: pingBytes,
    take: (receiver, _, payload) => receiver.ping(payload),
  },
  [frameType.pong]: {
    name: "PONG",
    ofSession: true,
    min: pingBytes,
    max: pingBytes,
    take: (receiver, _, payload) => receiver.pong(payload),
  },
  [frameType.goAway]: {
    name: "GOAWAY",
    ofSession: true,
    min: codeBytes,
    max: maxCodedBytes,
    take: (receiver, _, payload) => receiver.goAway(payload.readUInt32BE(0), readReason(payload)),
  },
  [frameType.open]: {
    name: "OPEN",
    ofSession: false,
    min: 0,
    max: 0,
    take: (receiver, stream) => receiver.open(stream),
  },
  [frameType.finish]: {
    name: "FIN",
    ofSession: false,
    min: 0,
    max: 0,
    take: (receiver, stream) => receiver.finish(stream),
  },
  [frameType.reset]: {
    name: "RESET",
    ofSession: false,
    min: codeBytes,
    max: maxCodedBytes,
    take: (receiver, stream, payload) => receiver.reset(stream, payload.readUInt32BE(0), readReason(payload)),
  },
  [frameType.credit]: {
    name: "CREDIT",
    ofSession: false,
    min: creditBytes,
    max: creditBytes,
    take: (receiver, stream, payload) => {
      const bytes = payload.readUInt32BE(0);
      return bytes === 0 ? violation("CREDIT of nothing") : receiver.credit(stream, bytes);
    },
  },
};

function readReason(payload: Buffer): string {
  return printable(payload.toString("utf8", codeBytes));
}
