/** Callers who stay on a connection that is over: long enough to read their answer to its end, and no longer. */
import { once } from "node:events";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, execByPost, get, http1Text } from "./fixture/requests";

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

describeOnNodes(
  "a connection after a refused upgrade",
  (proxy) => {
    describe.each([
      ["exec by GET", execByGet],
      ["exec by POST", execByPost],
    ])("%s", (_, kind) => {
      it.each([
        ["at once, by a caller who stays", 401, "", false],
        ["at once, by a caller who sends on", 401, "more", false],
        ["at once, by a caller who sends on and leaves", 401, "more", true],
        ["by the apiserver, by a caller who stays", 403, "", false],
        ["by the apiserver, by a caller who sends on", 403, "more", false],
        ["by the apiserver, by a caller who sends on and leaves", 403, "more", true],
      ])("is not held when it was refused %s", async (__, status, more, leaves) => {
        const socket = await proxy.connect();
        const authorization = status === 401 ? "Bearer none" : proxy.caller.authorization;
        socket.write(http1Text(kind, [], { authorization }));
        const [answer] = (await once(socket, "data")) as [Buffer];
        expect(answer.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
        await new Promise((resolve) => socket.write(more, resolve));
        if (leaves) socket.destroy();
        await eventually(() => proxy.callers() === 0);
      });
    });
  },
  () => ({ limits: { lingerMs: 300 } }),
);
