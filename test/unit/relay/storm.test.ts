import { eventually } from "../../support/eventually";
import type { RawWebSocket } from "../../support/raw-websocket";
import { RelayEnds } from "./relay-ends";

/** The key of a listener on `ws` 1.x: base64 of `13-` and a clock. */
const oldKey = () => Buffer.from(`13-${Date.now()}`).toString("base64");

/**
 * Such a listener answers one failed handshake with two new attempts, at once. So it must never see one fail: it is
 * left waiting, or let in and closed later.
 */
describe("a listener on ws 1.x", () => {
  let ends: RelayEnds;
  const start = async (overrides: Record<string, unknown> = {}) => (ends = await RelayEnds.start(overrides));
  afterEach(() => ends.close());
  const dialOld = (options: Parameters<RelayEnds["dialListener"]>[0] = {}) =>
    ends.dialListener({ key: oldKey(), ...options });
  /** Whether it has been answered, or cut off, after the relay has handled what came before. */
  const isLeftWaiting = async (raw: RawWebSocket) => {
    await ends.metric("listeners");
    await new Promise((resolve) => setTimeout(resolve, 30));
    return raw.receivedBytes === 0 && raw.end === "open";
  };

  it("is registered like any other when all is well", async () => {
    await start();
    expect((await (await dialOld()).answer).status).toBe(101);
  });

  it.each([
    ["has no token", { token: "" }],
    ["has a bad signature", { token: "SharedAccessSignature sr=x&sig=y&se=9999999999&skn=agent" }],
    ["names an unknown cluster", { path: "other" }],
  ])("is left waiting when it %s, and told the reason by a Close at the end", async (_, options) => {
    await start({ timers: { parkedMs: 100 } });
    const raw = await dialOld(options);
    expect(await isLeftWaiting(raw)).toBe(true);
    expect(await ends.metric("parked_handshakes")).toBe(1);
    expect((await raw.answer).status).toBe(101);
    expect(await raw.read()).toMatch(/^close:1008:(A token is required|The token has|Endpoint does not)/);
    expect(await ends.metric("parked_handshakes")).toBe(0);
    expect(await ends.metric("listeners")).toBe(0);
  });

  it("is refused with the documented status as a sender, which does not come back by itself", async () => {
    await start();
    expect((await (await ends.connect({ key: oldKey(), token: "" })).answer).status).toBe(401);
  });

  it("waits for a place beyond the limit, and gets it when one is free", async () => {
    await start({ limits: { listenersPerCluster: 1 } });
    const first = await ends.listen();
    const [second, third] = [await dialOld(), await dialOld()];
    expect(await isLeftWaiting(second)).toBe(true);
    expect((await (await ends.dialListener()).answer).status).toBe(403);
    first.close(1000);
    expect((await second.answer).status).toBe(101);
    expect(await isLeftWaiting(third)).toBe(true);
    second.send(9, "in");
    expect(await second.read()).toBe("10:in");
  });

  it("gives its place up, when it has come many times over, to a listener that is somebody else", async () => {
    await start({ limits: { listenersPerCluster: 2 } });
    const herd = [await dialOld(), await dialOld()];
    for (const raw of herd) expect((await raw.answer).status).toBe(101);
    const other = await ends.listen();
    expect(await herd[1]!.read()).toBe("close:1001:another listener takes this place");
    expect(await ends.metric("listeners")).toBe(2);
    other.send(9, "in");
    expect(await other.read()).toBe("10:in");
  });

  it("is let in and closed later when there is no room for it to wait", async () => {
    await start({ limits: { parkedPerAddress: 1 }, timers: { turnAwayMs: 150 } });
    const waiting = await dialOld({ token: "" });
    expect(await isLeftWaiting(waiting)).toBe(true);
    const started = performance.now();
    const turnedAway = await dialOld({ token: "" });
    expect((await turnedAway.answer).status).toBe(101);
    expect(await turnedAway.read()).toBe("close:1008:A token is required");
    expect(performance.now() - started).toBeGreaterThan(140);
    expect(await isLeftWaiting(waiting)).toBe(true);
  });

  it("waits no longer when it leaves, or speaks where nobody asked", async () => {
    await start();
    const [leaves, speaks] = [await dialOld({ token: "" }), await dialOld({ token: "" })];
    await ends.until("parked_handshakes", 2);
    leaves.socket.resetAndDestroy();
    await ends.until("parked_handshakes", 1);
    speaks.send(1, "x");
    await eventually(() => speaks.end !== "open");
    await ends.until("parked_handshakes", 0);
  });

  it("costs bounded memory however many come, their headers counted", async () => {
    await start({ limits: { parkedBytes: 60_000, listenersPerCluster: 1 }, timers: { turnAwayMs: 5_000 } });
    await ends.listen();
    const headers = { "X-Long": "x".repeat(20_000) };
    const [first, second] = [await dialOld({ headers }), await dialOld({ headers })];
    expect(await isLeftWaiting(first)).toBe(true);
    // Two connections with 20 kB each would be 72 kB: the second is turned away.
    expect((await second.answer).status).toBe(101);
    expect(await ends.metric("parked_handshakes")).toBe(1);
  });

  it("hears of a planned stop by a Close on its channel, while the port still takes connections", async () => {
    await start();
    const raw = await dialOld();
    await raw.answer;
    const drained = ends.running.relay.drain(0);
    expect(await raw.read()).toBe("close:1001:the relay is shutting down");
    const again = await dialOld();
    await drained;
    expect(again.end).toBe("open");
  });
});
