import { RenewingToken } from "../../../src/credentials/renewing-token";
import type { Token, TokenSource } from "../../../src/credentials/token-source";
import { silentLogger } from "../../../src/runtime/logger";
import { RetryAfter } from "../../../src/runtime/retry-after";

const lifetimeMs = 20_000;

function scripted(outcomes: (string | Error)[]) {
  const askedAt: number[] = [];
  const started = Date.now();
  const source: TokenSource = {
    description: "script",
    fetch: () => {
      askedAt.push(Date.now() - started);
      const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
      if (outcome instanceof Error) return Promise.reject(outcome);
      return Promise.resolve<Token>({ value: outcome, receivedAtMs: Date.now(), lifetimeMs });
    },
  };
  return { askedAt, source };
}

describe("a renewing token", () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it("is asked for again at half its life, and announced", async () => {
    const { askedAt, source } = scripted(["one", "two", "three"]);
    const token = new RenewingToken({ source, logger: silentLogger });
    const announced: string[] = [];
    token.onRenewed(({ value }) => announced.push(value));
    await token.start();
    await jest.advanceTimersByTimeAsync(25_000);
    expect(askedAt).toEqual([0, 10_000, 20_000]);
    expect(announced).toEqual(["two", "three"]);
    expect(token.current().value).toBe("three");
    await token.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it("stays while renewal fails, and is retried with growing pauses until it succeeds", async () => {
    const { source, askedAt } = scripted(["one", new Error("down"), new Error("down"), "two"]);
    const token = new RenewingToken({ source, logger: silentLogger });
    await token.start();
    await jest.advanceTimersByTimeAsync(10_100);
    expect(token.current().value).toBe("one");
    await jest.advanceTimersByTimeAsync(4_000);
    expect(askedAt).toHaveLength(4);
    expect(token.current().value).toBe("two");
    await token.stop();
  });

  it("that comes back unchanged is looked for again soon, without an announcement", async () => {
    const { source, askedAt } = scripted(["same"]);
    const token = new RenewingToken({ source, logger: silentLogger });
    const announced = jest.fn();
    token.onRenewed(announced);
    await token.start();
    await jest.advanceTimersByTimeAsync(14_500);
    expect(askedAt).toEqual([0, 10_000, 12_000, 14_000]);
    expect(announced).not.toHaveBeenCalled();
    await token.stop();
  });

  it("fails to start with its source's error", async () => {
    const token = new RenewingToken({ source: scripted([new Error("no")]).source, logger: silentLogger });
    await expect(token.start()).rejects.toThrow("no");
    expect(() => token.current()).toThrow(TypeError);
    await token.stop();
  });

  it("is renewed at once by a machine that has slept beyond its life", async () => {
    const { askedAt, source } = scripted(["one", "two"]);
    const token = new RenewingToken({ source, logger: silentLogger });
    await token.start();
    await jest.advanceTimersByTimeAsync(1_000);
    // Timers stand still while a machine sleeps; the clock does not.
    jest.setSystemTime(Date.now() + 3_600_000);
    expect(token.isAlive).toBe(false);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(askedAt).toHaveLength(2);
    expect(token.current().value).toBe("two");
    expect(token.isAlive).toBe(true);
    await token.stop();
  });

  it("is not asked for before the time that its source has named", async () => {
    const throttled = new Error("throttled", { cause: new RetryAfter(9_000) });
    const { askedAt, source } = scripted(["one", throttled, "two"]);
    const token = new RenewingToken({ source, logger: silentLogger });
    await token.start();
    await jest.advanceTimersByTimeAsync(18_900);
    expect(askedAt).toEqual([0, 10_000]);
    await jest.advanceTimersByTimeAsync(200);
    expect(askedAt).toEqual([0, 10_000, 19_000]);
    await token.stop();
  });
});
