/** Callers who stay on a connection that is over: long enough to read their answer to its end, and no longer. */
import { once } from "node:events";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text } from "./fixture/requests";

describeOnNodes(
  "a connection after its last answer",
  (proxy) => {
    it("is neither cut under what is still sent, nor held for as long as the caller likes", async () => {
      const socket = await proxy.connect();
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ended = once(socket, "end");
      socket.write(http1Text(get, ["Connection: close"], { authorization: proxy.caller.authorization }));
      await ended;
      const endedAt = performance.now();
      expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/i);
      const more = setInterval(() => socket.writable && socket.write("more"), 50);
      try {
        await eventually(() => proxy.callers() === 0);
      } finally {
        clearInterval(more);
      }
      // Not at the next byte: a reset would overtake the answer on its way.
      expect(performance.now() - endedAt).toBeGreaterThan(500);
      expect(proxy.sent()).toHaveLength(1);
    });
  },
  () => ({ limits: { lingerMs: 1_000 } }),
);
