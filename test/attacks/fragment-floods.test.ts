/** Messages in more pieces than anybody should count, and messages that never end. */
import { maskedFrame } from "../support/raw-websocket";
import { describeRelayOnNodes, memoryOf } from "./fixture/attacked-relay";

describeRelayOnNodes("fragment floods", (relay) => {
  const empty = Buffer.concat(Array.from({ length: 10_000 }, () => maskedFrame(0, "", { fin: false })));

  it("on a control channel end it before they fill the memory: pieces without a byte", async () => {
    const before = memoryOf(relay);
    const attacker = await relay.registered("plant-7");
    attacker.socket.on("error", () => undefined).write(maskedFrame(1, "", { fin: false }));
    for (let count = 0; count < 20 && !attacker.socket.destroyed; count += 1) {
      attacker.socket.write(empty);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await relay.registered("plant-8");
    expect(memoryOf(relay) - before).toBeLessThan(96);
  });

  it("on a control channel end it before they fill the memory: pieces of a message that never ends", async () => {
    const before = memoryOf(relay);
    const attacker = await relay.registered("plant-7");
    attacker.socket.on("error", () => undefined).write(maskedFrame(1, "a", { fin: false }));
    const piece = maskedFrame(0, "a".repeat(60_000), { fin: false });
    for (let count = 0; count < 100 && !attacker.socket.destroyed; count += 1) attacker.socket.write(piece);
    expect(await attacker.read()).toMatch(/^(close:1009|ended|reset)/);
    expect(memoryOf(relay) - before).toBeLessThan(96);
  });

  it("on a link go through piece by piece, and are kept nowhere", async () => {
    const before = memoryOf(relay);
    const { sender, leg } = await relay.joined();
    sender.socket.write(maskedFrame(2, "begin", { fin: false }));
    const piece = maskedFrame(0, Buffer.alloc(65_536), { fin: false });
    const write = async () => {
      for (let count = 0; count < 500; count += 1) {
        if (!sender.socket.write(piece)) await new Promise((resolve) => sender.socket.once("drain", resolve));
      }
      sender.send(0, "end");
    };
    const read = async () => {
      for (;;) {
        const frame = await leg.next();
        if (typeof frame === "string") throw new Error(frame);
        if (frame.fin) return frame.payload.toString();
      }
    };
    expect((await Promise.all([read(), write()]))[0]).toBe("end");
    expect(memoryOf(relay) - before).toBeLessThan(96);
  });
});
