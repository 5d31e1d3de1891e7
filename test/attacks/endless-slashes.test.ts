/** A run of slashes, with something behind it, costs who looks for slashes at the end the square of its length. */
import { describeOnNodes } from "./fixture/describe-attack";
import { describeRelayOnNodes } from "./fixture/attacked-relay";
import { get, http1Text, sendBytes } from "./fixture/requests";
import { answerReviews } from "./fixture/reviews";

describeRelayOnNodes("endless slashes before the handshake", (relay) => {
  it.each(["listen", "connect"])("keep nobody waiting: %s", async (action) => {
    const address = new URL(relay.url);
    address.pathname = `/$hc/a${"/".repeat(60_000)}b`;
    address.searchParams.set("sb-hc-action", action);
    const dialled = await Promise.all(Array.from({ length: 4 }, () => relay.dial(address)));
    const statuses = await Promise.all(dialled.map(async ({ answer }) => (await answer).status));
    expect(statuses).toEqual([404, 404, 404, 404]);
    await relay.joined();
  });
});

describeOnNodes(
  "endless slashes in a request by another name",
  (proxy) => {
    const reviews = answerReviews(proxy);

    it("keep nobody waiting", async () => {
      reviews.decide = () => ({ allowed: false });
      const { authorization } = proxy.caller;
      const target = `/api/v1/${"/".repeat(400_000)}b`;
      const text = http1Text(get, ["Impersonate-User: alice"], { authorization, target });
      expect((await sendBytes(proxy, text)).statuses).toEqual([403]);
    });
  },
  () => ({ impersonation: { nested: true, constrained: true } }),
);
