import { decodeMessage } from "../../../src/protocol/decode";
import {
  encodeCredit,
  encodeFinish,
  encodeGoAway,
  encodeHeader,
  encodeHello,
  encodeOpen,
  encodePing,
  encodeReset,
} from "../../../src/protocol/encode";
import { frameType } from "../../../src/protocol/frames";
import { defaultWireLimits } from "../../../src/protocol/limits";
import { RecordingReceiver } from "./recording-receiver";

const eight = Buffer.from("0102030405060708", "hex");

/** The wire, byte for byte. Changing a line here is changing the protocol: it needs a new subprotocol. */
const golden: readonly [name: string, encode: () => Buffer, hex: string, decoded: unknown[]][] = [
  ["HELLO", () => encodeHello({ a: 1 }), "01 000007 00000000 7b2261223a317d", ["HELLO", '{"a":1}']],
  [
    "PING",
    () => encodePing(frameType.ping, eight),
    "02 000008 00000000 0102030405060708",
    ["PING", "0102030405060708"],
  ],
  [
    "PONG",
    () => encodePing(frameType.pong, eight),
    "03 000008 00000000 0102030405060708",
    ["PONG", "0102030405060708"],
  ],
  ["GOAWAY", () => encodeGoAway(1, "bye"), "04 000007 00000000 00000001 627965", ["GOAWAY", 1, "bye"]],
  ["OPEN", () => encodeOpen(1), "10 000000 00000001", ["OPEN", 1]],
  ["OPEN of the last id", () => encodeOpen(0xffff_ffff), "10 000000 ffffffff", ["OPEN", 0xffff_ffff]],
  [
    "DATA",
    () => Buffer.concat([encodeHeader(frameType.data, 7, 3), Buffer.from("abc")]),
    "11 000003 00000007 616263",
    ["DATA", 7, "abc"],
  ],
  ["FIN", () => encodeFinish(258), "12 000000 00000102", ["FIN", 258]],
  ["RESET", () => encodeReset(2, 3, "ü"), "13 000006 00000002 00000003 c3bc", ["RESET", 2, 3, "ü"]],
  ["RESET without a reason", () => encodeReset(2, 4, ""), "13 000004 00000002 00000004", ["RESET", 2, 4, ""]],
  ["CREDIT", () => encodeCredit(3, 65_536), "14 000004 00000003 00010000", ["CREDIT", 3, 65_536]],
];

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

describe("frames", () => {
  it.each(golden)("%s has this shape on the wire", (_, encode, hex) => {
    expect(encode().toString("hex")).toBe(hex.replaceAll(" ", ""));
  });

  it.each(golden)("%s is read back", (_, _encode, hex, decoded) => {
    const receiver = new RecordingReceiver();
    expect(decodeMessage(bytes(hex), defaultWireLimits, receiver)).toBeUndefined();
    expect(receiver.frames).toEqual([decoded]);
  });

  it("share a message, in order", () => {
    const receiver = new RecordingReceiver();
    const message = Buffer.concat(golden.map(([, , hex]) => bytes(hex)));
    expect(decodeMessage(message, defaultWireLimits, receiver)).toBeUndefined();
    expect(receiver.frames).toEqual(golden.map(([, , , decoded]) => decoded));
  });

  it("carry payloads that are views of the message, not copies", () => {
    const message = bytes("11 000003 00000007 616263");
    const receiver = new RecordingReceiver();
    let payload: Buffer | undefined;
    receiver.data = (_, view) => void (payload = view);
    decodeMessage(message, defaultWireLimits, receiver);
    expect(payload?.buffer).toBe(message.buffer);
    expect(payload?.byteOffset).toBe(message.byteOffset + 8);
  });

  it("have reasons without control characters, which would reach a terminal", () => {
    const receiver = new RecordingReceiver();
    decodeMessage(encodeReset(1, 4, "a\u001b[31mb\r\nc\u2028d"), defaultWireLimits, receiver);
    expect(receiver.frames).toEqual([["RESET", 1, 4, "a [31mb  c d"]]);
  });

  it("have reasons cut to their bound between two characters", () => {
    const receiver = new RecordingReceiver();
    decodeMessage(encodeReset(1, 4, `a${"ü".repeat(600)}`), defaultWireLimits, receiver);
    expect(receiver.frames).toEqual([["RESET", 1, 4, `a${"ü".repeat(255)}`]]);
  });

  it("refuse a HELLO that is longer than the other end would take", () => {
    expect(() => encodeHello("x".repeat(65_536))).toThrow(RangeError);
  });
});
