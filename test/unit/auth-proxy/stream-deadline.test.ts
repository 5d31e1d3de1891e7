import { startDeadline, type StreamDeadline } from "../../../src/auth-proxy/stream-deadline";

const day = 86_400_000;

describe("a stream's deadline", () => {
  let deadline: StreamDeadline;
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => {
    deadline.clear();
    jest.useRealTimers();
  });
  const start = (end: "none" | "expiry" | "maxAge", expiresInMs: number, maxAgeMs = 1_000) =>
    (deadline = startDeadline({ end, maxAgeMs }, Date.now() + expiresInMs));

  it("never comes where streams may run on", () => {
    start("none", 1);
    jest.advanceTimersByTime(day);
    expect(deadline.signal.aborted).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("is the token's end, also when that lies further off than a timer reaches", () => {
    start("expiry", 60 * day);
    jest.advanceTimersByTime(60 * day - 1);
    expect(deadline.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(deadline.signal.reason).toMatchObject({ code: "ERR_AUTH_PROXY_STREAM_EXPIRED" });
  });

  it("is an age, whatever the token says", () => {
    start("maxAge", 10, 5_000);
    jest.advanceTimersByTime(4_999);
    expect(deadline.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(deadline.signal.aborted).toBe(true);
  });

  it("is at once for a token that has expired meanwhile", () => {
    start("expiry", -5_000);
    jest.advanceTimersByTime(0);
    expect(deadline.signal.aborted).toBe(true);
  });

  it("is forgotten when the request is over, between two timers too", () => {
    start("expiry", 60 * day);
    jest.advanceTimersByTime(30 * day);
    deadline.clear();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(60 * day);
    expect(deadline.signal.aborted).toBe(false);
  });
});
