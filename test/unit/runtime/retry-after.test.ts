import { readRetryAfter, retryAfterOf } from "../../../src/runtime/retry-after";

describe("a Retry-After header", () => {
  it("is read in seconds and as a date, within five minutes", () => {
    expect(readRetryAfter("7")?.ms).toBe(7_000);
    const inAMinute = readRetryAfter(new Date(Date.now() + 60_000).toUTCString())?.ms ?? 0;
    expect(inAMinute).toBeGreaterThan(58_000);
    expect(inAMinute).toBeLessThanOrEqual(60_000);
    expect(readRetryAfter("86400")?.ms).toBe(300_000);
    expect(readRetryAfter(new Date(0).toUTCString())?.ms).toBe(0);
  });

  it("that is absent or makes no sense asks for nothing", () => {
    expect(readRetryAfter(undefined)).toBeUndefined();
    expect(readRetryAfter("soon")).toBeUndefined();
    expect(readRetryAfter(["1", "2"])).toBeUndefined();
  });

  it("is found behind the error that it came with", () => {
    const inner = new Error("throttled", { cause: readRetryAfter("3") });
    expect(retryAfterOf(new Error("outer", { cause: inner }))).toBe(3_000);
    expect(retryAfterOf(new Error("another"))).toBe(0);
    expect(retryAfterOf("text")).toBe(0);
  });
});
