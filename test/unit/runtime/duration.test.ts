import { parseDuration } from "../../../src/runtime/duration";

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["60s", 60_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["45", 45_000],
  ])("reads %s", (text, ms) => expect(parseDuration(text, "timeout")).toBe(ms));

  it.each(["", "soon", "-1s", "5d", "1s2"])("refuses %p and names the setting", (text) => {
    expect(() => parseDuration(text, "timeout")).toThrow(/timeout is ".*", which is not a duration/);
  });
});
