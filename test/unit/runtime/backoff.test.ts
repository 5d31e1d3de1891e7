import { createBackoff } from "../../../src/runtime/backoff";

describe("back-off", () => {
  it("begins with a delay of 20 to 100 ms", () => {
    expect(createBackoff({ random: () => 0 }).nextMs()).toBe(20);
    expect(createBackoff({ random: () => 1 }).nextMs()).toBe(100);
  });

  it("doubles up to ten seconds, half of each delay being random", () => {
    const longest = createBackoff({ random: () => 1 });
    expect(Array.from({ length: 9 }, () => longest.nextMs())).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000,
    ]);
    const shortest = createBackoff({ random: () => 0 });
    expect(Array.from({ length: 3 }, () => shortest.nextMs())).toEqual([20, 20, 40]);
  });

  it("begins anew only after a connection that lasted", () => {
    const backoff = createBackoff({ random: () => 1 });
    backoff.nextMs();
    backoff.lasted(10);
    expect(backoff.nextMs()).toBe(200);
    backoff.lasted(5_000);
    expect(backoff.nextMs()).toBe(100);
  });
});
