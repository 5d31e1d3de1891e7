import { HeldMemory } from "../../../src/tunnel/held-memory";
import { SessionPath } from "../../../src/tunnel/path-estimate";
import { ReceiveWindow, type PathEstimate } from "../../../src/tunnel/receive-window";

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * A way of `bytesPerMs` and `roundTripMs`, its sender always having something to send, its reader taking everything
 * at once. Returns the window's size and the rate that it let through over the last quarter of the time.
 */
function run(options: {
  bytesPerMs: number;
  roundTripMs: number;
  allowanceMs?: number;
  memory?: HeldMemory;
  forMs?: number;
  readerBytesPerMs?: number;
}) {
  const { bytesPerMs, roundTripMs, allowanceMs = 1, forMs = 5_000, readerBytesPerMs = Infinity } = options;
  const memory = options.memory ?? new HeldMemory(64 * MiB);
  memory.take(128 * KiB);
  const path: PathEstimate = { roundTripMs, allowanceMs: () => allowanceMs };
  const window = new ReceiveWindow(128 * KiB, 4 * MiB, memory, path);
  const stepMs = 0.25;
  const half = Math.max(1, Math.round(roundTripMs / 2 / stepMs));
  const data: number[] = Array<number>(half).fill(0);
  const credits: number[] = Array<number>(half).fill(0);
  let credit = 128 * KiB;
  let queued = 0;
  let held = 0;
  let delivered = 0;
  let most = 0;
  for (let now = 1; now < forMs; now += stepMs) {
    credit += credits.shift() ?? 0;
    queued += credit;
    credit = 0;
    const sent = Math.min(queued, bytesPerMs * stepMs);
    queued -= sent;
    data.push(sent);
    const arrived = data.shift() ?? 0;
    if (arrived > 0 && !window.receive(arrived, now)) throw new Error("more came than was granted");
    held += arrived;
    const taken = Math.min(held, readerBytesPerMs * stepMs);
    held -= taken;
    if (taken > 0) window.consume(taken);
    if (now > (forMs * 3) / 4) delivered += taken;
    credits.push(window.owesGrant ? window.takeGrant(now) : 0);
    most = Math.max(most, window.size);
  }
  return { window, memory, most, rate: delivered / (forMs / 4) };
}

describe("a receive window", () => {
  it("grows to what a long way needs, and fills it", () => {
    const { window, rate } = run({ bytesPerMs: 20_000, roundTripMs: 60 });
    expect(rate).toBeGreaterThan(19_000);
    expect(window.size).toBeGreaterThanOrEqual(20_000 * 60);
    expect(window.size).toBeLessThan(20_000 * 60 * 2);
  });

  it("grows within a few round trips", () => {
    const { rate } = run({ bytesPerMs: 20_000, roundTripMs: 60, forMs: 1_600 });
    expect(rate).toBeGreaterThan(18_000);
  });

  it("grows no further than rate × time, however long it runs", () => {
    const needed = 50_000 * (10 * 1.5 + 1);
    const { most, window } = run({ bytesPerMs: 50_000, roundTripMs: 10, allowanceMs: 1, forMs: 20_000 });
    expect(most).toBeLessThan(needed * 2);
    expect(window.size).toBeLessThan(needed * 1.2);
  });

  it("stays small where little is needed", () => {
    const { window } = run({ bytesPerMs: 1_000, roundTripMs: 20 });
    expect(window.size).toBe(128 * KiB);
  });

  it("stops at its ceiling", () => {
    const { most } = run({ bytesPerMs: 1_000_000, roundTripMs: 100 });
    expect(most).toBe(4 * MiB);
  });

  it("follows a slow reader down", () => {
    const { window } = run({ bytesPerMs: 100_000, roundTripMs: 20, readerBytesPerMs: 500 });
    expect(window.size).toBe(128 * KiB);
  });

  it("grows only within the memory that is there", () => {
    const memory = new HeldMemory(1 * MiB);
    const { most } = run({ bytesPerMs: 100_000, roundTripMs: 100, memory });
    expect(most).toBeLessThanOrEqual(512 * KiB);
    expect(memory.used).toBeLessThanOrEqual(512 * KiB);
  });

  it("keeps its size while its writer pauses", () => {
    const memory = new HeldMemory(64 * MiB);
    memory.take(128 * KiB);
    const window = new ReceiveWindow(128 * KiB, 4 * MiB, memory, { roundTripMs: 1, allowanceMs: () => 10 });
    let now = 1;
    const take = (bytes: number) => {
      window.receive(bytes, now);
      window.consume(bytes);
      if (window.owesGrant) window.takeGrant(now);
    };
    for (let count = 0; count < 100; count += 1, now += 0.5) take(64 * KiB);
    const grown = window.size;
    expect(grown).toBeGreaterThan(256 * KiB);
    for (let count = 0; count < 20; count += 1, now += 1_000) take(1 * KiB);
    expect(window.size).toBe(grown);
  });

  it("gives back all it took", () => {
    const { window, memory } = run({ bytesPerMs: 100_000, roundTripMs: 20 });
    expect(memory.used).toBe(window.size);
    window.drop();
    expect(memory.used).toBe(0);
    window.drop();
    expect(memory.used).toBe(0);
  });

  it("is not granted more than it has free", () => {
    const memory = new HeldMemory(64 * MiB);
    memory.take(100);
    const window = new ReceiveWindow(100, 100, memory, { roundTripMs: undefined, allowanceMs: () => 0 });
    expect(window.receive(101, 1)).toBe(false);
    expect(window.receive(60, 1)).toBe(true);
    expect(window.receive(41, 1)).toBe(false);
    expect(window.owesGrant).toBe(false);
    window.consume(60);
    expect(window.owesGrant).toBe(true);
    expect(window.takeGrant(1)).toBe(60);
    expect(window.takeGrant(1)).toBe(0);
  });
});

describe("the estimate of the way", () => {
  it("is the shortest of the last round trips that were not delayed by data", () => {
    const path = new SessionPath();
    expect(path.roundTripMs).toBeUndefined();
    for (const sample of [30, 10, 20]) path.measured(sample, true);
    expect(path.roundTripMs).toBe(10);
    for (const sample of [40, 41, 42, 43]) path.measured(sample, true);
    expect(path.roundTripMs).toBe(40);
  });

  it("is never raised by one that was delayed", () => {
    const path = new SessionPath();
    path.measured(10, true);
    for (let count = 0; count < 20; count += 1) path.measured(500, false);
    expect(path.roundTripMs).toBe(10);
    path.measured(5, false);
    expect(path.roundTripMs).toBe(5);
  });

  it("takes what it gets first, and asks for more", () => {
    const path = new SessionPath();
    expect(path.isNew).toBe(true);
    path.measured(500, false);
    expect(path.roundTripMs).toBe(500);
    for (let count = 0; count < 8; count += 1) path.measured(10, true);
    expect(path.isNew).toBe(false);
  });

  it("allows less while short answers to somebody come between the bytes of a stream", () => {
    const path = new SessionPath();
    path.receives(1, 65_536, 0);
    const alone = path.allowanceMs(1);
    path.receives(2, 1_000, 10);
    expect(path.allowanceMs(11)).toBeLessThan(alone);
    path.receives(1, 65_536, 12);
    expect(path.allowanceMs(1_000)).toBeLessThan(alone);
    expect(path.allowanceMs(1_013)).toBe(alone);
  });

  it("takes streams that all carry much for what they are", () => {
    const path = new SessionPath();
    const alone = path.allowanceMs(0);
    for (let now = 0; now < 10; now += 1) path.receives(now % 3, 65_536, now);
    expect(path.allowanceMs(10)).toBe(alone);
  });

  it("does not take the next stream for a rival of one that is over", () => {
    const path = new SessionPath();
    const alone = path.allowanceMs(0);
    path.receives(1, 100, 0);
    path.closed(1);
    path.receives(2, 100, 1);
    expect(path.allowanceMs(2)).toBe(alone);
  });
});
