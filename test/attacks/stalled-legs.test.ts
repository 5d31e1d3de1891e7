/** Peers that stop: reading, writing, or in the middle of a frame. They cost their own session alone. */
import { maskedFrame } from "../support/raw-websocket";
import { describeRelayOnNodes, memoryOf } from "./fixture/attacked-relay";

describeRelayOnNodes(
  "stalled legs",
  (relay) => {
    it("that do not read stop their peer, and hold no more than their bound", async () => {
      const before = memoryOf(relay);
      const { sender, leg } = await relay.joined();
      leg.socket.pause();
      const frame = maskedFrame(2, Buffer.alloc(65_536));
      let isBlocked = false;
      for (let count = 0; count < 2_000 && !isBlocked; count += 1) {
        if (sender.socket.write(frame)) continue;
        // The kernel takes some more; when it does not, either, the relay has stopped reading.
        const drained = new Promise<boolean>((resolve) => sender.socket.once("drain", () => resolve(true)));
        const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
        isBlocked = !(await Promise.race([drained, late]));
      }
      expect(isBlocked).toBe(true);
      expect(memoryOf(relay) - before).toBeLessThan(64);
      await relay.registered("plant-8");
      // It goes on where it stopped.
      leg.socket.resume();
      await leg.next();
    });

    it("that stop within a frame are given up, told to their peer", async () => {
      const { sender, leg } = await relay.joined();
      sender.socket.write(maskedFrame(2, Buffer.alloc(1_000)).subarray(0, 500));
      sender.socket.destroy();
      // Within a frame no Close can be put: the connection is cut.
      let last: Awaited<ReturnType<typeof leg.next>>;
      do last = await leg.next();
      while (typeof last !== "string");
      expect(last).toMatch(/ended|reset/);
    });

    it("that answer no ping are given up", async () => {
      const { sender, leg } = await relay.joined();
      // The raw client answers nothing of itself: both are silent.
      const frames = [];
      for (let frame = await leg.next(); typeof frame !== "string"; frame = await leg.next())
        frames.push(frame.opcode);
      expect(frames).toContain(9);
      for (let frame = await sender.next(); typeof frame !== "string"; frame = await sender.next());
      expect(sender.end).not.toBe("open");
    });

    it("that answer no Close are not waited for", async () => {
      const { sender, leg } = await relay.joined();
      sender.close(1000);
      expect(await leg.read()).toMatch(/^close:1000/);
      for (let frame = await leg.next(); typeof frame !== "string"; frame = await leg.next());
      expect(leg.end).not.toBe("open");
    });

    it("that end their handshake halfway are cut off", async () => {
      const socket = await relay.connect();
      socket.write("GET /$hc/plant-7?sb-hc-action=connect HTTP/1.1\r\nHost: a\r\n");
      await new Promise((resolve) => socket.resume().once("close", resolve));
    });
  },
  { timers: { headersMs: 400, closeMs: 400, pingMs: 200 } },
);
