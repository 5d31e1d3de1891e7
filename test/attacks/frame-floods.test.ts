/** WebSocket frames in numbers, and ones that are none, on control channels and on links. */
import { encodeReset } from "../../src/protocol/encode";
import { maskedFrame } from "../support/raw-websocket";
import { describeRelayOnNodes } from "./fixture/attacked-relay";

const repeated = (frame: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => frame));

describeRelayOnNodes("frame floods", (relay) => {
  it.each([
    ["pings", maskedFrame(9, "ping")],
    ["pongs that nobody asked for", maskedFrame(10, "pong")],
    ["empty texts", maskedFrame(1, "")],
    ["texts that are no JSON", maskedFrame(1, "{")],
    [
      "texts that are somebody else's to send",
      maskedFrame(1, '{"accept":{"address":"ws://evil/","id":"a"}}'),
    ],
    ["renewals", maskedFrame(1, '{"renewToken":{"token":"x"}}')],
    ["binary", maskedFrame(2, Buffer.alloc(64))],
  ])("on a control channel leave the rest of the relay alone: %s", async (_, frame) => {
    const attacker = await relay.registered("plant-7");
    attacker.socket.on("error", () => undefined).write(repeated(frame, 20_000));
    await relay.registered("plant-8");
  });

  it.each([
    ["a text without end", Buffer.concat([maskedFrame(1, "a".repeat(70_000), { fin: false })])],
    ["a length beyond all bounds", Buffer.from("81ff7fffffffffffffff00000000", "hex")],
    ["a negative length", Buffer.from("81ffffffffffffffffff00000000", "hex")],
    ["no mask", Buffer.from("810161", "hex")],
    ["a reserved bit", Buffer.from("c18100000000" + "61", "hex")],
    ["an opcode that is none", Buffer.from("838100000000" + "61", "hex")],
    ["a control frame in pieces", Buffer.from("098000000000", "hex")],
    ["a control frame that is too long", maskedFrame(9, "a".repeat(126))],
    ["a continuation of nothing", maskedFrame(0, "a")],
    ["text that is no UTF-8", maskedFrame(1, Buffer.from([0xff, 0xfe]))],
    ["half a close code", maskedFrame(8, "a")],
    ["a close code that is none", maskedFrame(8, Buffer.from([0, 1]))],
  ])("on a control channel end it when they are no frames: %s", async (_, bytes) => {
    const attacker = await relay.registered("plant-7");
    attacker.socket.on("error", () => undefined).write(bytes);
    expect(await attacker.read()).toMatch(/^(close|ended|reset)/);
  });

  it.each([
    ["a length beyond all bounds", Buffer.from("82ffffffffffffffffff00000000", "hex")],
    ["no mask", Buffer.from("820161", "hex")],
    ["a reserved bit", Buffer.from("c28100000000" + "61", "hex")],
    ["an opcode that is none", Buffer.from("838100000000" + "61", "hex")],
    ["a control frame in pieces", Buffer.from("098000000000", "hex")],
    ["a control frame that is too long", maskedFrame(9, "a".repeat(126))],
    ["a continuation of nothing", maskedFrame(0, "a")],
    ["half a close code", maskedFrame(8, "a")],
  ])("on a link end it, told to both: %s", async (_, bytes) => {
    const { sender, leg } = await relay.joined();
    sender.send(2, "before");
    expect(await leg.read()).toBe("2:before");
    sender.socket.write(bytes);
    expect(await leg.read()).toMatch(/^close:10(01|11|02)/);
    expect(await sender.read()).toMatch(/^close:1002/);
  });

  it.each([
    ["empty messages", maskedFrame(2, "")],
    ["one byte each", maskedFrame(2, "a")],
    ["pings", maskedFrame(9, "")],
    ["resets of streams that are none", maskedFrame(2, encodeReset(9, 1, "x"))],
  ])("on a link go no faster than they are taken: %s", async (_, frame) => {
    const { sender, leg } = await relay.joined();
    sender.socket.on("error", () => undefined).write(repeated(frame, 50_000));
    await leg.next();
    // Another link of the same relay is served meanwhile.
    const other = await relay.registered("plant-8");
    expect((await other.answer).status).toBe(101);
  });
});
