/** A caller who is refused for bytes that are no request, and goes on sending: he may for a moment, not for ever. */
import { once } from "node:events";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";

describeOnNodes(
  "bytes behind a refusal",
  (proxy) => {
    it.each([
      ["one after the other", "x"],
      ["none", ""],
    ])("do not hold the connection open: %s", async (_, piece) => {
      const socket = await proxy.connect();
      socket.write("\0\r\n\r\n");
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
      socket.resume();
      expect(proxy.callers()).toBe(1);
      const refusedAt = performance.now();
      const trickle = setInterval(() => socket.writable && socket.write(piece), 50);
      try {
        await eventually(() => proxy.callers() === 0, 6_000);
      } finally {
        clearInterval(trickle);
      }
      // Not at the next byte: the reset would overtake the answer on its way.
      expect(performance.now() - refusedAt).toBeGreaterThan(500);
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ limits: { lingerMs: 1_000 } }),
);
