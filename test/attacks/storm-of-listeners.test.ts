/** Listeners by the hundred: with no right to be there, with one, and all from one place. */
import { describeRelayOnNodes } from "./fixture/attacked-relay";

describeRelayOnNodes(
  "a storm of listeners",
  (relay) => {
    const storm = async (count: number, token: (index: number) => string, key?: string) => {
      const dials = Array.from({ length: count }, async (_, index) => {
        const address = `${relay.url.origin}/$hc/plant-7?sb-hc-action=listen&sb-hc-id=storm-${index}`;
        const options = {
          headers: { ServiceBusAuthorization: token(index) },
          ...(key === undefined ? {} : { key }),
        };
        return relay.dial(address, options);
      });
      return Promise.all(dials);
    };
    const statusesOf = async (raws: Awaited<ReturnType<typeof storm>>) =>
      Promise.all(
        raws.map(({ answer }) =>
          answer.then(
            ({ status }) => status,
            () => 0,
          ),
        ),
      );

    it("without a right keeps nobody out who has one", async () => {
      const statuses = await statusesOf(
        await storm(200, () => "SharedAccessSignature sr=x&sig=y&se=1&skn=z"),
      );
      expect(new Set(statuses)).toEqual(new Set([401]));
      await relay.registered("plant-8");
    });

    it("on a WebSocket of old, which comes back at once when it is refused, is left waiting within bounds", async () => {
      // Such a client's key is base64 of "13-" and a clock.
      const key = Buffer.from("13-1700000000000").toString("base64");
      const raws = await storm(60, () => "no token", key);
      await relay.registered("plant-8");
      const open = raws.filter(({ socket }) => !socket.destroyed).length;
      expect(open).toBeGreaterThan(0);
    });

    it("with a right is bounded for its own cluster, and no other's", async () => {
      const raws = await storm(40, () => relay.sas("plant-7", "listen"));
      const statuses = await statusesOf(raws);
      expect(statuses.filter((status) => status === 101).length).toBeLessThanOrEqual(5 + 1);
      await relay.registered("plant-8");
    });

    it("that says nothing at all is cut off in time", async () => {
      const raws = await Promise.all(Array.from({ length: 50 }, () => relay.connect()));
      for (const socket of raws)
        socket.write("GET /$hc/plant-7?sb-hc-action=listen HTTP/1.1\r\nHost: a\r\nX-Slow: ");
      await Promise.all(
        raws.map((socket) => new Promise((resolve) => socket.resume().once("close", resolve))),
      );
    });

    it("is bounded by address before anybody is known", async () => {
      const sockets = await Promise.all(Array.from({ length: 300 }, () => relay.connect()));
      const closed = sockets.map(
        (socket) => new Promise((resolve) => socket.resume().once("close", resolve)),
      );
      // The bound is 250 here: those beyond it are dropped at once, the rest when their time is over.
      await Promise.all(closed);
    });
  },
  {
    limits: { listenersPerCluster: 5, strangersPerAddress: 250 },
    timers: { headersMs: 400, closeMs: 500, parkedMs: 400, turnAwayMs: 200 },
  },
);
