import fc from "fast-check";
import { decodeMessage } from "../../../src/protocol/decode";
import { encodeHeader } from "../../../src/protocol/encode";
import { frameType } from "../../../src/protocol/frames";
import { defaultWireLimits } from "../../../src/protocol/limits";
import { violation, Violation } from "../../../src/protocol/violation";
import { RecordingReceiver } from "./recording-receiver";

const decode = (message: Buffer, receiver = new RecordingReceiver()) =>
  decodeMessage(message, defaultWireLimits, receiver);

const frame = (type: number, stream: number, length: number) =>
  Buffer.concat([encodeHeader(type, stream, length), Buffer.alloc(length, 1)]);

describe("decoding", () => {
  const illegal: readonly [name: string, message: Buffer, code: string, reason: string][] = [
    ["an empty message", Buffer.alloc(0), "protocolViolation", "empty message"],
    ["one byte", Buffer.from([0x10]), "protocolViolation", "message ends inside a frame header"],
    ["half a header", Buffer.alloc(7, 0x10), "protocolViolation", "message ends inside a frame header"],
    ["half a payload", frame(0x11, 1, 9).subarray(0, 16), "protocolViolation", "message ends inside a frame"],
    [
      "a rest behind a frame",
      Buffer.concat([frame(0x10, 1, 0), Buffer.alloc(3)]),
      "protocolViolation",
      "message ends inside a frame header",
    ],
    ["a message above its bound", Buffer.alloc(262_145), "limitExceeded", "message of 262145 bytes"],
    ["type 0", frame(0x00, 0, 0), "protocolViolation", "unknown frame type 0"],
    [
      "ACK, which belongs to a feature that is not offered",
      frame(0x20, 0, 8),
      "protocolViolation",
      "unknown frame type 32",
    ],
    [
      "the last type that may not be skipped",
      frame(0x7f, 0, 0),
      "protocolViolation",
      "unknown frame type 127",
    ],
    ["HELLO on a stream", frame(0x01, 1, 2), "protocolViolation", "HELLO for stream 1"],
    ["HELLO above its bound", frame(0x01, 0, 65_537), "limitExceeded", "HELLO of 65537 bytes"],
    ["an empty HELLO", frame(0x01, 0, 0), "protocolViolation", "HELLO of 0 bytes"],
    ["PING on a stream", frame(0x02, 1, 8), "protocolViolation", "PING for stream 1"],
    ["a short PING", frame(0x02, 0, 7), "protocolViolation", "PING of 7 bytes"],
    ["a long PONG", frame(0x03, 0, 9), "limitExceeded", "PONG of 9 bytes"],
    ["GOAWAY on a stream", frame(0x04, 1, 4), "protocolViolation", "GOAWAY for stream 1"],
    ["GOAWAY without a code", frame(0x04, 0, 3), "protocolViolation", "GOAWAY of 3 bytes"],
    ["GOAWAY with an endless reason", frame(0x04, 0, 4 + 513), "limitExceeded", "GOAWAY of 517 bytes"],
    ["OPEN of stream 0", frame(0x10, 0, 0), "protocolViolation", "OPEN for stream 0"],
    ["OPEN with a payload", frame(0x10, 1, 1), "limitExceeded", "OPEN of 1 bytes"],
    ["DATA on stream 0", frame(0x11, 0, 1), "protocolViolation", "DATA for stream 0"],
    ["empty DATA", frame(0x11, 1, 0), "protocolViolation", "empty DATA"],
    ["DATA above its bound", frame(0x11, 1, 65_537), "limitExceeded", "DATA of 65537 bytes"],
    ["FIN on stream 0", frame(0x12, 0, 0), "protocolViolation", "FIN for stream 0"],
    ["FIN with a payload", frame(0x12, 1, 1), "limitExceeded", "FIN of 1 bytes"],
    ["RESET on stream 0", frame(0x13, 0, 4), "protocolViolation", "RESET for stream 0"],
    ["RESET without a code", frame(0x13, 1, 0), "protocolViolation", "RESET of 0 bytes"],
    ["RESET with an endless reason", frame(0x13, 1, 4 + 513), "limitExceeded", "RESET of 517 bytes"],
    ["CREDIT on stream 0", frame(0x14, 0, 4), "protocolViolation", "CREDIT for stream 0"],
    ["short CREDIT", frame(0x14, 1, 3), "protocolViolation", "CREDIT of 3 bytes"],
    ["long CREDIT", frame(0x14, 1, 5), "limitExceeded", "CREDIT of 5 bytes"],
    [
      "CREDIT of nothing",
      Buffer.concat([encodeHeader(0x14, 1, 4), Buffer.alloc(4)]),
      "protocolViolation",
      "CREDIT of nothing",
    ],
  ];

  it.each(illegal)("refuses %s", (_, message, code, reason) => {
    expect(decode(message)).toEqual(new Violation(code as Violation["code"], reason));
  });

  it.each([0x80, 0x99, 0xff])(
    "skips a frame of the unknown type %i, on any stream, of any length",
    (type) => {
      const receiver = new RecordingReceiver();
      const message = Buffer.concat([frame(type, 5, 0), frame(type, 0, 100_000), frame(0x10, 1, 0)]);
      expect(decode(message, receiver)).toBeUndefined();
      expect(receiver.frames).toEqual([["OPEN", 1]]);
    },
  );

  it("takes every frame at its bound", () => {
    expect(decode(frame(frameType.hello, 0, 65_536))).toBeUndefined();
    expect(decode(frame(frameType.data, 1, 65_536))).toBeUndefined();
    expect(decode(frame(frameType.reset, 1, 516))).toBeUndefined();
    expect(decode(Buffer.concat([frame(0x80, 0, 262_136)]))).toBeUndefined();
  });

  it("goes by limits that were raised", () => {
    const raised = { messageBytes: 1_000_000, dataBytes: 500_000 };
    expect(decodeMessage(frame(0x11, 1, 500_000), raised, new RecordingReceiver())).toBeUndefined();
  });

  it("stops at the first violation", () => {
    const receiver = new RecordingReceiver();
    receiver.open = () => violation("enough") as never;
    expect(
      decode(Buffer.concat([frame(0x12, 1, 0), frame(0x10, 1, 0), frame(0x12, 2, 0)]), receiver),
    ).toEqual(violation("enough"));
    expect(receiver.frames).toEqual([["FIN", 1]]);
  });

  it("stops when the receiver is done", () => {
    const receiver = new RecordingReceiver();
    receiver.finish = () => void (receiver.isDone = true);
    expect(decode(Buffer.concat([frame(0x12, 1, 0), frame(0x10, 1, 0)]), receiver)).toBeUndefined();
    expect(receiver.frames).toEqual([]);
  });

  it("asks the receiver to admit each frame, unknown ones too", () => {
    const receiver = new RecordingReceiver();
    const types: number[] = [];
    const admit = (type: number) => void types.push(type);
    decode(Buffer.concat([frame(0x10, 1, 0), frame(0x90, 0, 0)]), Object.assign(receiver, { admit }));
    expect(types).toEqual([0x10, 0x90]);
  });

  it("never throws, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const problem = decode(Buffer.from(bytes));
        return problem === undefined || problem instanceof Violation;
      }),
      { numRuns: 2_000 },
    );
  });

  it("accepts no proper prefix of a frame", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (length, part) => {
          const whole = frame(frameType.data, 1, length);
          return decode(whole.subarray(0, Math.floor(whole.length * part))) instanceof Violation;
        },
      ),
    );
  });
});
