import { eventually } from "../../support/eventually";
import { RelayEnds } from "./relay-ends";

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("a sender", () => {
  let ends: RelayEnds;
  const start = async (overrides: Record<string, unknown> = {}) => (ends = await RelayEnds.start(overrides));
  afterEach(() => ends.close());

  /** A listener, a sender that waits for it, and what it was told of the sender. */
  async function announced(options: Parameters<RelayEnds["connect"]>[0] = {}) {
    const listener = await ends.listen();
    const sender = await ends.connect(options);
    return { listener, sender, accept: await ends.announced(listener) };
  }

  it("is announced with its handshake as it was sent, but for its token, and with where it comes from", async () => {
    await start();
    const { sender, accept } = await announced({
      query: "sb-hc-id=my-id",
      key: "AAAAAAAAAAAAAAAAAAAAAA==",
      headers: { "X-Own": "a", "Sec-WebSocket-Protocol": "one, two" },
    });
    expect(accept.connectHeaders).toEqual({
      Host: ends.running.url.host,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "X-Own": "a",
      "Sec-WebSocket-Protocol": "one, two",
    });
    expect(accept.id).toBe("my-id");
    expect(accept.remoteEndpoint).toEqual({ address: "127.0.0.1", port: sender.socket.localPort });
  });

  it("has an id made up for it that has none", async () => {
    await start();
    expect((await announced()).accept.id).toMatch(idPattern);
  });

  it("needs no action in its address to be one", async () => {
    await start();
    const listener = await ends.listen();
    await ends.dial("/$hc/plant-7?a=1", { headers: { ServiceBusAuthorization: ends.sign("send") } });
    const { address } = await ends.announced(listener);
    expect(new URL(address).search).toMatch(/^\?a=1&sb-hc-action=accept&/);
  });

  it("has a rendezvous on the relay's own address, with its path and its query byte for byte", async () => {
    await start();
    const { accept } = await announced({ path: "plant-7/a%20b/c", query: "x=%c3%a4&&sb-hc-token=t&y=+&z" });
    const { host } = ends.running.url;
    expect(accept.address).toMatch(
      new RegExp(
        `^ws://${host}/\\$hc/plant-7/a%20b/c\\?x=%c3%a4&&y=\\+&z&sb-hc-action=accept&sb-hc-id=[^&]+&sb-hc-rendezvous=[\\w-]{43}$`,
      ),
    );
  });

  it("gets its 101 only once a listener has come, with the subprotocol that this one offers", async () => {
    await start();
    const { sender, accept } = await announced({ headers: { "Sec-WebSocket-Protocol": "one, two" } });
    let isAnswered = false;
    void sender.answer.then(() => (isAnswered = true));
    expect(await ends.metric("pending_senders")).toBe(1);
    expect(isAnswered).toBe(false);
    const listener = await ends.dial(accept.address, { headers: { "Sec-WebSocket-Protocol": "two" } });
    for (const raw of [listener, sender]) {
      expect(await raw.answer).toMatchObject({
        status: 101,
        headers: { "sec-websocket-protocol": "two" },
      });
    }
    sender.send(2, "there");
    listener.send(2, "and back");
    expect([await listener.read(), await sender.read()]).toEqual(["2:there", "2:and back"]);
  });

  it("is met once: its rendezvous is used up, and no other key is one", async () => {
    await start();
    const { accept } = await announced();
    const wrong = accept.address.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    expect(await ends.ask(wrong)).toMatchObject({ status: 403 });
    expect(await ends.ask("/$hc/plant-7?sb-hc-action=accept")).toMatchObject({ status: 403 });
    expect(await ends.ask(accept.address)).toMatchObject({ status: 101 });
    expect(await ends.ask(accept.address)).toMatchObject({
      status: 403,
      reason: expect.stringMatching(/^The rendezvous is unknown, used or over\./) as string,
    });
  });

  it("cannot be met under its own id, which it has chosen itself", async () => {
    await start();
    await announced({ query: "sb-hc-id=mine" });
    expect((await ends.ask("/$hc/plant-7?sb-hc-action=accept&sb-hc-id=mine")).status).toBe(403);
  });

  it.each([
    ["&sb-hc-statusCode=503&sb-hc-statusDescription=not%20now", 503, "not now"],
    ["&statusCode=503&statusDescription=not%20now", 503, "not now"],
    ["&sb-hc-statusCode=418&sb-hc-statusDescription=a%0d%0aX-Evil:%20b", 418, "a  X-Evil: b"],
    ["&sb-hc-statusCode=200&sb-hc-statusDescription=fine", 400, "fine"],
    ["&sb-hc-statusCode=x", 400, "Rejected by user code"],
  ])("is rejected by %s with %i %s, and the listener hears 410", async (extra, status, reason) => {
    await start();
    const { sender, accept } = await announced();
    expect(await ends.ask(accept.address + extra)).toMatchObject({ status: 410, reason: "Gone" });
    const answer = await sender.answer;
    expect([answer.status, answer.reason]).toEqual([status, reason]);
    expect(answer.headers).not.toHaveProperty("x-evil");
    expect(await ends.ask(accept.address)).toMatchObject({ status: 403 });
    expect(await ends.metric("pending_senders")).toBe(0);
  });

  it("waits for a listener no longer than the time it is given", async () => {
    await start({ timers: { rendezvousMs: 50 } });
    const { sender, accept } = await announced();
    expect(await sender.answer).toMatchObject({
      status: 504,
      reason: expect.stringMatching(/^None of the connected listeners accepted/) as string,
    });
    expect((await ends.ask(accept.address)).status).toBe(403);
  });

  it("is forgotten when it leaves before a listener has come", async () => {
    await start();
    const { sender, accept } = await announced();
    sender.socket.end();
    await ends.until("pending_senders", 0);
    expect((await ends.ask(accept.address)).status).toBe(403);
  });

  it("is dropped when it speaks before it has been answered", async () => {
    await start();
    const { sender } = await announced();
    sender.send(2, "too early");
    await eventually(() => sender.end !== "open");
    await ends.until("pending_senders", 0);
  });

  it("is announced to another listener when the first closes without having come", async () => {
    await start();
    const { listener, sender } = await announced();
    const other = await ends.listen();
    listener.close(1000, "going away");
    await ends.dial((await ends.announced(other)).address);
    expect((await sender.answer).status).toBe(101);
  });

  it("is told 404 when the only listener closes without having come", async () => {
    await start();
    const { listener, sender } = await announced();
    listener.socket.resetAndDestroy();
    expect((await sender.answer).status).toBe(404);
  });

  it("is still met by a listener that came before it closed its control channel", async () => {
    await start();
    const { listener, sender, accept } = await announced();
    await (
      await ends.dial(accept.address)
    ).answer;
    listener.close(1000);
    expect((await sender.answer).status).toBe(101);
    sender.send(2, "on");
    expect(await ends.metric("links")).toBe(1);
  });

  it("whose headers do not fit into a control message is told so, and its listener is left alone", async () => {
    await start({ limits: { headerBytes: 200_000 } });
    const listener = await ends.listen();
    const sender = await ends.connect({ headers: { "X-Long": "x".repeat(66_000) } });
    expect((await sender.answer).status).toBe(431);
    await ends.connect();
    expect((await ends.announced(listener)).id).toMatch(idPattern);
  });

  it("finds no room when too many wait already, or too many links are open", async () => {
    await start({ limits: { pending: 1, links: 1 } });
    const listener = await ends.listen();
    await ends.connect();
    const { address } = await ends.announced(listener);
    expect(await (await ends.connect()).answer).toMatchObject({
      status: 503,
      reason: expect.stringMatching(/^Too many connections are being established/) as string,
    });
    await ends.ask(address);
    expect(await (await ends.connect()).answer).toMatchObject({
      status: 503,
      reason: expect.stringMatching(/^The relay has its maximum number of links/) as string,
    });
  });

  it.each([
    [404, { path: "other" }],
    [401, { token: "" }],
    [401, { token: "SharedAccessSignature x" }],
  ])("is refused with %i where a listener would be", async (status, options) => {
    await start();
    await ends.listen();
    expect((await (await ends.connect(options)).answer).status).toBe(status);
  });

  it("with a key that may only listen is refused with 403", async () => {
    await start();
    await ends.listen();
    expect((await (await ends.connect({ token: ends.sign("listen") })).answer).status).toBe(403);
  });

  it.each([
    ["emea/plant-7/v2/x", "emea/plant-7"],
    ["EMEA/Plant-7", "emea/plant-7"],
    ["emea/plant-70", "emea"],
    ["emea", "emea"],
  ])("at %s reaches %s, the longest name that begins its path", async (path, entity) => {
    ends = await RelayEnds.start({}, { names: ["emea", "emea/plant-7", "plant-7"] });
    const token = ends.sign("listen", { entity });
    const listener = await ends.listen({ path: entity, token });
    await ends.connect({ path, token: ends.sign("send", { entity }) });
    expect((await ends.announced(listener)).address).toContain(`/$hc/${path}?`);
  });

  it("finds nobody at another cluster of the same relay", async () => {
    ends = await RelayEnds.start({}, { names: ["plant-7", "plant-8"] });
    await ends.listen();
    const sender = await ends.connect({ path: "plant-8", token: ends.sign("send", { entity: "plant-8" }) });
    expect((await sender.answer).status).toBe(404);
    const crossing = await ends.connect({ path: "plant-8" });
    expect((await crossing.answer).status).toBe(403);
  });

  it("asks for a listener by the id that this one has given itself, and is told when that is not there", async () => {
    await start();
    const [one, other] = [
      await ends.listen({ query: "sb-hc-id=11111111-aaaa" }),
      await ends.listen({ query: "sb-hc-id=22222222-bbbb" }),
    ];
    const only = (id: string) => ({ headers: { "Microsoft-Relay-AllowedListeners": id } });
    for (const [listener, id] of [
      [one, "11111111-AAAA"],
      [other, "22222222-bbbb_G3"],
    ] as const) {
      await ends.connect(only(id));
      await ends.announced(listener);
    }
    const { status, reason } = await (await ends.connect(only("33333333"))).answer;
    expect(status).toBe(404);
    expect(reason).toMatch(/^None of the connected listeners meet the AllowedListeners/);
  });
});
