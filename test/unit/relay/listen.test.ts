import { createHmac } from "node:crypto";
import type { RawWebSocket } from "../../support/raw-websocket";
import { listenKey } from "../../support/relay-process";
import { RelayEnds } from "./relay-ends";

const renewal = (token: string) => JSON.stringify({ renewToken: { token } });
/** Whether a channel is still open after what has been sent has been handled: it answers a ping. */
async function isOpen(channel: RawWebSocket): Promise<boolean> {
  channel.send(9, "still there?");
  return (await channel.read()) === "10:still there?";
}

describe("a listener's control channel", () => {
  let ends: RelayEnds;
  const start = async (overrides: Record<string, unknown> = {}) => (ends = await RelayEnds.start(overrides));
  afterEach(() => ends.close());

  describe("opens", () => {
    beforeEach(() => start());

    it("with 101, and is registered by that", async () => {
      const { status, headers } = await (await ends.dialListener()).answer;
      expect(status).toBe(101);
      expect(headers).not.toHaveProperty("sec-websocket-extensions");
      expect(await ends.metric("listeners")).toBe(1);
    });

    it("with the token in the query, form-encoded, too", async () => {
      const token = encodeURIComponent(ends.sign("listen")).replaceAll("%20", "+");
      const { status } = await ends.ask(`/$hc/plant-7?sb-hc-action=listen&sb-hc-token=${token}`);
      expect(status).toBe(101);
    });

    it.each(["LISTEN", "Listen"])("whatever the case of its action: %s", async (action) => {
      const headers = { ServiceBusAuthorization: ends.sign("listen") };
      expect((await ends.ask(`/$hc/PLANT-7?SB-HC-Action=${action}`, { headers })).status).toBe(101);
    });

    it.each([
      ["the port kept", "http%3A%2F%2F127.0.0.1%3A443%2Fplant-7"],
      ["another port and scheme", "https%3a%2f%2f127.0.0.1%3a9999%2fplant-7"],
      ["the whole namespace", "http%3A%2F%2F127.0.0.1%2F"],
      ["a slash at the end", "http%3A%2F%2F127.0.0.1%2Fplant-7%2F"],
      ["other case", "HTTP%3A%2F%2F127.0.0.1%2FPLANT-7"],
      ["the path of the WebSocket", "sb%3A%2F%2F127.0.0.1%2F%24hc%2Fplant-7"],
    ])("by a signature over its resource as it was sent, with %s", async (_, resource) => {
      const expiry = Math.floor(Date.now() / 1_000) + 60;
      const sig = createHmac("sha256", listenKey).update(`${resource}\n${expiry}`).digest("base64");
      const token = `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(sig)}&se=${expiry}&skn=agent`;
      expect((await (await ends.dialListener({ token })).answer).status).toBe(101);
    });
  });

  describe("is refused", () => {
    beforeEach(() => start());

    it.each([
      [404, "Endpoint does not exist", { path: "other" }],
      [404, "Endpoint does not exist", { path: "plant-70" }],
      [401, "A token is required", { token: "" }],
      [401, "The token is malformed", { token: "SharedAccessSignature x" }],
      [401, "The token is not accepted", { token: "eyJhbGciOiJub25lIn0.e30." }],
    ])("with %i %s", async (status, sentence, options) => {
      const answer = await (await ends.dialListener({ query: "sb-hc-id=my-id", ...options })).answer;
      expect(answer.status).toBe(status);
      const path = "path" in options ? options.path : "plant-7";
      const { host } = ends.running.url;
      expect(answer.reason).toMatch(
        new RegExp(
          `^${sentence}.*\\. TrackingId:my-id_G0, SystemTracker:sb://${host}/${path}, Timestamp:\\d{4}-\\d\\d-\\d\\dT`,
        ),
      );
      expect(answer.headers).toMatchObject({ connection: "close", "content-length": "0" });
    });

    it("with 403 when its key may only connect, and 401 once its token has ended", async () => {
      expect((await (await ends.dialListener({ token: ends.sign("send") })).answer).status).toBe(403);
      const ended = ends.sign("listen", { lifetimeMs: -2_000 });
      expect((await (await ends.dialListener({ token: ended })).answer).status).toBe(401);
    });

    it.each([
      ["an action that is not known", "sb-hc-action=dance"],
      ["a request, which is HTTP relaying", "sb-hc-action=request"],
    ])("with 400 for %s", async (_, query) => {
      expect((await ends.ask(`/$hc/plant-7?${query}`)).status).toBe(400);
    });

    it.each([
      ["another version of the protocol", { "Sec-WebSocket-Version": "8" }],
      ["a key that is none", { "Sec-WebSocket-Key": "short" }],
      ["another upgrade", { Upgrade: "h2c" }],
    ])("with 400 for a handshake with %s", async (_, headers) => {
      const answer = await ends.ask("/$hc/plant-7?sb-hc-action=listen", { headers });
      expect(answer.status).toBe(400);
      expect(answer.reason).toBe("This endpoint is only for web-socket requests");
    });

    it("without echoing what a peer wrote into the status line as more than one line", async () => {
      const answer = await ends.ask("/$hc/none%0d%0aX-Evil:%201?sb-hc-id=a%0d%0aX-Evil:%202");
      expect(answer.status).toBe(404);
      expect(answer.headers).not.toHaveProperty("x-evil");
    });

    it("and an id of unreasonable length is none", async () => {
      const { reason } = await ends.ask(`/$hc/none?sb-hc-id=${"i".repeat(257)}`);
      expect(reason).toMatch(/TrackingId:[0-9a-f-]{36}_G0/);
    });
  });

  describe("renews its token", () => {
    const timers = { expiryGraceMs: 150 };

    it("without an answer, and lives by the new one", async () => {
      await start({ timers });
      const channel = await ends.listen({ token: ends.sign("listen", { lifetimeMs: 1 }) });
      channel.send(1, renewal(ends.sign("listen")));
      expect(await isOpen(channel)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      expect(await isOpen(channel)).toBe(true);
    });

    it("late, within the grace after the old one's end", async () => {
      await start({ timers: { expiryGraceMs: 60_000 } });
      const channel = await ends.listen({ token: ends.sign("listen", { lifetimeMs: 1 }) });
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      channel.send(1, renewal(ends.sign("listen")));
      expect(await isOpen(channel)).toBe(true);
    });

    it("or is closed with 1008 after that grace", async () => {
      await start({ timers });
      const channel = await ends.listen({ token: ends.sign("listen", { lifetimeMs: 1 }) });
      expect(await channel.read()).toBe("close:1008:the token has expired");
      await ends.until("listeners", 0);
    });

    it.each([
      ["signed by another key", () => "SharedAccessSignature sr=x&sig=y&se=9999999999&skn=agent"],
      ["that may only connect", () => ends.sign("send")],
      ["for another entity", () => ends.sign("listen", { entity: "other" })],
      ["that has ended", () => ends.sign("listen", { lifetimeMs: -2_000 })],
      ["that is none", () => "nonsense"],
    ])("and is closed with 1008 for a token %s", async (_, token) => {
      await start();
      const channel = await ends.listen();
      channel.send(1, renewal(token()));
      expect(await channel.read()).toBe("close:1008:the renewed token is not accepted");
      expect(await ends.metric("refused_total", '{reason="renewal"}')).toBe(1);
    });

    it.each([
      ["text that is not JSON", 1, "renew, please"],
      ["an unknown message", 1, '{"injectFault":{"delay":1}}'],
      ["a renewal without a token", 1, '{"renewToken":{}}'],
      ["an empty binary message", 2, ""],
      ["a binary renewal", 2, renewal("nonsense")],
    ])("and ignores %s", async (_, opcode, payload) => {
      await start();
      const channel = await ends.listen();
      channel.send(opcode, payload);
      expect(await isOpen(channel)).toBe(true);
    });
  });

  it("is closed when it sends more than a control message holds", async () => {
    await start();
    const channel = await ends.listen();
    channel.send(1, "x".repeat(65_536));
    expect(await channel.read()).toMatch(/^close:1009/);
  });

  it("is asked whether it lives, and is gone after two silences", async () => {
    await start({ timers: { pingMs: 40 } });
    const channel = await ends.listen();
    expect([await channel.read(), await channel.read()]).toEqual(["9:", "9:"]);
    for (let answers = 0; answers < 4; answers += 1) {
      channel.send(10, "");
      expect(await channel.read()).toBe("9:");
    }
    for (let last = ""; last !== "reset" && last !== "ended";) last = await channel.read();
    await ends.until("listeners", 0);
  });

  it("is deregistered by its Close frame, which is answered", async () => {
    await start();
    const channel = await ends.listen();
    channel.close(1000, "going away");
    expect(await channel.read()).toMatch(/^close:1000/);
    const sender = await ends.connect();
    expect(await sender.answer).toMatchObject({
      status: 404,
      reason: expect.stringMatching(/^There are no listeners connected for the endpoint\./) as string,
    });
  });

  it("is deregistered when its connection is lost", async () => {
    await start();
    const channel = await ends.listen();
    channel.socket.resetAndDestroy();
    await ends.until("listeners", 0);
  });

  it("is one of at most 25, unless told otherwise, and its place is free once it has gone", async () => {
    await start();
    const channels = [];
    for (let count = 0; count < 25; count += 1) channels.push(await ends.listen());
    const answer = await (await ends.dialListener()).answer;
    expect(answer.status).toBe(403);
    expect(answer.reason).toMatch(/^The endpoint has its maximum number of listeners\./);
    channels[0]!.close(1000);
    await ends.until("listeners", 24);
    expect((await (await ends.dialListener()).answer).status).toBe(101);
    await ends.close();
    await start({ limits: { listenersPerCluster: 1 } });
    await ends.listen();
    expect((await (await ends.dialListener()).answer).status).toBe(403);
  });
});
