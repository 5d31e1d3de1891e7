import { HeldMemory } from "../../../src/tunnel/held-memory";

describe("held memory", () => {
  it("is bounded for the session and for the process", () => {
    const whole = new HeldMemory(100);
    const one = new HeldMemory(80, whole);
    const other = new HeldMemory(80, whole);
    expect(one.take(81)).toBe(false);
    expect(one.take(60)).toBe(true);
    expect(other.take(41)).toBe(false);
    expect(other.take(40)).toBe(true);
    expect([one.used, other.used, whole.used]).toEqual([60, 40, 100]);
    one.give(60);
    expect([one.used, other.used, whole.used]).toEqual([0, 40, 40]);
  });

  it("lets windows grow into half of it only, so that new streams find room", () => {
    const memory = new HeldMemory(100);
    expect(memory.takeForGrowth(50)).toBe(true);
    expect(memory.takeForGrowth(1)).toBe(false);
    expect(memory.take(50)).toBe(true);
  });

  it("takes nothing anywhere when one of them is full", () => {
    const whole = new HeldMemory(10);
    const part = new HeldMemory(100, whole);
    expect(part.take(11)).toBe(false);
    expect([part.used, whole.used]).toEqual([0, 0]);
  });
});
