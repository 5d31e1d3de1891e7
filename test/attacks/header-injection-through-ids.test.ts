/** What peers call themselves, and the reasons they give, on their way into status lines, messages and logs. */
import { describeRelayOnNodes, nextAnnouncement } from "./fixture/attacked-relay";

const lines = "x\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK";
const quoted = encodeURIComponent(lines);

describeRelayOnNodes("header injection", (relay) => {
  const send = (query: string, authorization: string, more: Record<string, string> = {}) =>
    relay.dial(`${relay.url.origin}/$hc/plant-7?sb-hc-action=connect&${query}`, {
      headers: { ServiceBusAuthorization: authorization, ...more },
    });

  it.each([
    ["lines", quoted],
    ["bare line feeds", encodeURIComponent("x\nX-Injected: 1\n\nHTTP/1.1 200 OK")],
    ["bare carriage returns", encodeURIComponent("x\rX-Injected: 1")],
    ["line ends of Unicode", encodeURIComponent("x\u2028X-Injected: 1\u0085\u010d\u010a")],
    ["NUL", "x%00y"],
    ["bytes that are no UTF-8", "x%ff%fe%0d%0a"],
  ])("does not come about by a sender's id that holds %s", async (_, id) => {
    const listener = await relay.registered();
    const refused = await send(`sb-hc-id=${id}`, "Bearer x.y.z");
    const { status, headers } = await refused.answer;
    expect([status, headers["x-injected"]]).toEqual([401, undefined]);
    expect(await refused.next()).toBe("ended");
    const sender = await send(`sb-hc-id=${id}`, relay.sas("plant-7", "send"));
    const { address } = await nextAnnouncement(listener);
    expect(address).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/\$hc\/plant-7\?[\x21-\x7e]*$/);
    const leg = await relay.dial(address);
    const joined = await leg.answer;
    expect([joined.status, joined.headers["x-injected"]]).toEqual([101, undefined]);
    expect((await sender.answer).headers["x-injected"]).toBeUndefined();
  });

  it.each([
    ["lines", `sb-hc-statusCode=403&sb-hc-statusDescription=${quoted}`, 403],
    ["success", "sb-hc-statusCode=200&sb-hc-statusDescription=OK", 400],
    ["an upgrade", "sb-hc-statusCode=101&sb-hc-statusDescription=Switching", 400],
    ["a number beyond all", "sb-hc-statusCode=99999&sb-hc-statusDescription=x", 400],
    ["a number that is none", `sb-hc-statusCode=${encodeURIComponent("403\r\nX-Injected: 1")}`, 403],
    ["a number with a dot", "sb-hc-statusCode=403.5", 403],
    ["a reason without end", `sb-hc-statusCode=404&sb-hc-statusDescription=${"a".repeat(20_000)}`, 404],
  ])("does not come about by a listener that rejects with %s", async (_, query, expected) => {
    const listener = await relay.registered();
    const { sender, accept } = await relay.announced(listener);
    await relay.dial(`${accept.address}&${query}`);
    const { status, reason, headers } = await sender.answer;
    expect([status, headers["x-injected"]]).toEqual([expected, undefined]);
    expect(reason.length).toBeLessThanOrEqual(400);
    expect(await sender.next()).toBe("ended");
  });

  it("does not come about by a listener's id", async () => {
    const authorization = relay.sas("plant-7", "listen");
    const address = `${relay.url.origin}/$hc/plant-7?sb-hc-action=listen&sb-hc-id=${quoted}`;
    const listener = await relay.dial(address, { headers: { ServiceBusAuthorization: authorization } });
    const { status, headers } = await listener.answer;
    expect([status, headers["x-injected"]]).toEqual([101, undefined]);
  });

  it("does not come about by a path", async () => {
    const raw = await relay.dial(`${relay.url.origin}/$hc/plant-7${quoted}?sb-hc-action=connect&sb-hc-id=a`);
    const { status, headers } = await raw.answer;
    expect([status, headers["x-injected"]]).toEqual([404, undefined]);
  });

  it("does not come about by a subprotocol", async () => {
    const listener = await relay.registered();
    const sender = await send("sb-hc-id=a", relay.sas("plant-7", "send"), { "Sec-WebSocket-Protocol": "a" });
    const { address } = await nextAnnouncement(listener);
    const leg = await relay.dial(address, { headers: { "Sec-WebSocket-Protocol": "a b\tX-Injected" } });
    await leg.answer;
    expect((await sender.answer).headers["sec-websocket-protocol"]).toBeUndefined();
  });

  it("does not come about by headers that a listener is told of, and the relay's own token is not among them", async () => {
    const listener = await relay.registered();
    const authorization = relay.sas("plant-7", "send");
    await send("sb-hc-id=a&sb-hc-token=other", authorization, {
      "X-Mine": 'a"}},{"accept":{"address":"ws://evil/',
    });
    const { connectHeaders, address } = await nextAnnouncement(listener);
    expect(connectHeaders["X-Mine"]).toContain("evil");
    expect(new URL(address).host).toBe(relay.url.host);
    expect(JSON.stringify(connectHeaders)).not.toContain("SharedAccessSignature");
    expect(address).not.toContain("sb-hc-token");
  });

  it.each(["evil.example", "evil.example:443", "127.0.0.1@evil.example"])(
    "does not come about by Host: the rendezvous is where the configuration says, not at %s",
    async (host) => {
      const listener = await relay.registered();
      await send("sb-hc-id=a", relay.sas("plant-7", "send"), { Host: host, "X-Forwarded-Host": host });
      expect(new URL((await nextAnnouncement(listener)).address).host).toBe(relay.url.host);
    },
  );
});
