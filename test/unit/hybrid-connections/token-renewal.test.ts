import { EventEmitter } from "node:events";
import type WebSocket from "ws";
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import { expiryOf } from "../../../src/hybrid-connections/token-expiry";
import { keepRenewing, type RenewalOptions } from "../../../src/hybrid-connections/token-renewal";
import { silentLogger } from "../../../src/runtime/logger";

const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const living = (ms: number) => jwt({ exp: (Date.now() + ms) / 1_000 });

describe("renewing a channel's token", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function renew(token: string, outcomes: (string | Error)[], options: Partial<RenewalOptions> = {}) {
    const started = Date.now();
    const sent: [atMs: number, token: string][] = [];
    const webSocket = Object.assign(new EventEmitter(), {
      send: (text: string) => {
        const { renewToken } = JSON.parse(text) as { renewToken: { token: string } };
        sent.push([Date.now() - started, renewToken.token]);
      },
    });
    const warnings: unknown[] = [];
    const stop = keepRenewing(webSocket as unknown as WebSocket, {
      token,
      everyMs: () => 1_800_000,
      logger: { ...silentLogger, warn: (_event, fields) => warnings.push(fields) },
      authorization: () => {
        const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
        return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
      },
      ...options,
    });
    return { sent, stop, warnings };
  }

  it("happens as often as it is told for a token that does not tell its end", async () => {
    const { sent, stop } = renew("opaque", ["one", "two"]);
    await jest.advanceTimersByTimeAsync(3_600_000);
    expect(sent).toEqual([
      [1_800_000, "one"],
      [3_600_000, "two"],
    ]);
    stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it("happens after half of what is left of a token of short life, each by its own", async () => {
    const { sent, stop } = renew(living(60_000), [living(330_000), "opaque"]);
    await jest.advanceTimersByTimeAsync(180_000);
    // 60 s of life: after 30 s. Of the next one 300 s are left by then: after 150 s more.
    expect(sent.map(([at]) => at)).toEqual([30_000, 180_000]);
    stop();
  });

  it("goes by a signature's own end too", async () => {
    const signature = createSasToken({
      relay: new URL("https://x"),
      entity: "e",
      keyName: "k",
      key: "k",
      lifetimeMs: 600_000,
    });
    const { sent, stop } = renew(signature, ["opaque"]);
    await jest.advanceTimersByTimeAsync(301_000);
    expect(sent).toHaveLength(1);
    stop();
  });

  it("never becomes a loop, however short the tokens live", async () => {
    const { sent, stop } = renew(living(-5_000), [living(1)]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(sent.map(([at]) => at)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
    stop();
  });

  it("is tried again a minute later while no token can be had, and says so", async () => {
    const { sent, stop, warnings } = renew(living(20_000), [
      new Error("no file"),
      new Error("no file"),
      "one",
    ]);
    await jest.advanceTimersByTimeAsync(130_000);
    expect(sent).toEqual([[130_000, "one"]]);
    expect(warnings).toEqual([
      { reason: "no file", retryInMs: 60_000 },
      { reason: "no file", retryInMs: 60_000 },
    ]);
    stop();
  });

  it("ends with the channel, even while a token is being fetched", async () => {
    let arrive: (token: string) => void = () => undefined;
    const authorization = () => new Promise<string>((resolve) => (arrive = resolve));
    const { sent, stop } = renew("opaque", [], { authorization, everyMs: () => 1_000 });
    await jest.advanceTimersByTimeAsync(1_000);
    stop();
    arrive("late");
    await jest.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("a credential's own end", () => {
  it.each([
    ["a JWT's exp", jwt({ exp: 1_000 }), 1_000_000],
    ["a signature's se", "SharedAccessSignature sr=a&sig=b&se=1000&skn=c", 1_000_000],
    ["none of a JWT without exp", jwt({}), undefined],
    ["none of an exp that is text", jwt({ exp: "1000" }), undefined],
    ["none of a broken signature", "SharedAccessSignature sr=a", undefined],
    ["none of anything else", "opaque", undefined],
    ["none of nothing", "", undefined],
  ])("is %s", (_, credential, ms) => expect(expiryOf(credential)).toBe(ms));
});
