/** A listener that comes when nobody waits any more. */
import { describeRelayOnNodes } from "./fixture/attacked-relay";

describeRelayOnNodes(
  "late rendezvous",
  (relay) => {
    it("is refused after the sender has been told that nobody came", async () => {
      const listener = await relay.registered();
      const { sender, accept } = await relay.announced(listener);
      expect((await sender.answer).status).toBe(504);
      expect((await (await relay.dial(accept.address)).answer).status).toBe(403);
    });

    it("is refused after the sender has gone", async () => {
      const listener = await relay.registered();
      const { sender, accept } = await relay.announced(listener);
      sender.socket.destroy();
      await new Promise((resolve) => sender.socket.once("close", resolve));
      // The relay has seen it when it answers what was sent later.
      const leg = await relay.dial(accept.address);
      const { status } = await leg.answer;
      if (status === 101) expect(await leg.read()).toMatch(/^close:/);
      else expect(status).toBe(403);
    });

    it("is refused to a sender that has spoken before it was let in", async () => {
      const listener = await relay.registered();
      const { sender, accept } = await relay.announced(listener);
      sender.send(1, "GET /api HTTP/1.1");
      expect(await sender.next()).toMatch(/ended|reset/);
      expect((await (await relay.dial(accept.address)).answer).status).toBe(403);
    });
  },
  { timers: { rendezvousMs: 300, closeMs: 500, headersMs: 500 } },
);
