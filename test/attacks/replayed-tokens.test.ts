/** A token that was shown to one hop, shown again to another: a relay, or a cluster, that turns against its callers. */
import { nodes } from "../support/bundle-process";
import { AttackedRelay, nextAnnouncement } from "./fixture/attacked-relay";
import { useAuthProxy } from "./fixture/describe-attack";
import { http1Text, http2Fields, kinds, sendBytes, sendHttp2Request } from "./fixture/requests";

describe.each(nodes)("replayed tokens, on %s", (_, node) => {
  const proxy = useAuthProxy(node);
  const relay = new AttackedRelay();
  beforeAll(() => relay.start(node, { issuer: proxy.issuer }));
  afterEach(() => relay.check());
  afterAll(() => relay.stop());

  const mint = (audience: string | string[]) => proxy.issuer.mint({ cluster: "plant-7" }, { audience });

  it.each(kinds)("meant for the relay are nobody's at the cluster: %s", async (__, kind) => {
    const token = await mint(relay.url.origin);
    // The relay takes it, which is what makes it worth stealing.
    const listener = await relay.registered("plant-7");
    const sender = await relay.send("plant-7", token);
    await relay.dial((await nextAnnouncement(listener)).address);
    expect((await sender.answer).status).toBe(101);
    const authorization = `Bearer ${token}`;
    expect((await sendBytes(proxy, http1Text(kind, [], { authorization }))).statuses).toEqual([401]);
    const fields = http2Fields(kind, [], authorization);
    expect((await sendHttp2Request(proxy, { fields })).status).toBe(401);
    expect(proxy.sent()).toHaveLength(0);
  });

  it.each(["listen", "send"] as const)("meant for the cluster let nobody %s at the relay", async (right) => {
    const token = right === "send" ? await mint("cluster-connect/plant-7") : await agentToken();
    await relay.registered("plant-7");
    const attempt = await (right === "send" ? relay.send("plant-7", token) : relay.listen("plant-7", token));
    expect((await attempt.answer).status).toBe(401);
  });

  const agentToken = () =>
    proxy.issuer.mint({}, { subject: "agent:plant-7", audience: "cluster-connect/plant-7" });

  it("meant for another relay are nobody's at this one", async () => {
    await relay.registered("plant-7");
    for (const audience of [
      "https://relay.example",
      `${relay.url.origin}/`,
      relay.url.host,
      "api://AzureADTokenExchange",
    ]) {
      const sender = await relay.send("plant-7", await mint(audience));
      expect((await sender.answer).status).toBe(401);
    }
  });

  it("signed for the relay by its key are nobody's at the cluster", async () => {
    const authorization = relay.sas("plant-7", "send");
    for (const value of [authorization, `Bearer ${authorization}`]) {
      const { statuses } = await sendBytes(proxy, http1Text(kinds[0]![1], [], { authorization: value }));
      expect(statuses).toEqual([401]);
    }
    expect(proxy.sent()).toHaveLength(0);
  });

  it("that are the auth proxy's own let nobody in", async () => {
    const authorization = "Bearer own-token-of-the-auth-proxy";
    const { statuses } = await sendBytes(proxy, http1Text(kinds[0]![1], [], { authorization }));
    expect(statuses).toEqual([401]);
    expect(proxy.sent()).toHaveLength(0);
  });
});
