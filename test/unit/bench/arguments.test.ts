import { readArguments } from "../../../bench/arguments";
import { scenarios } from "../../../bench/scenarios";

const read = (...args: string[]) => readArguments(args, scenarios);

describe("the bench's arguments", () => {
  it("mean every scenario, three times, unless told otherwise", () => {
    expect(read()).toEqual({ scenarios, runs: 3, scale: 1, json: undefined, markdown: false });
  });

  it("choose scenarios by name, in the order of the bench", () => {
    const chosen = read("watches", "throughput", "--runs", "1", "--json", "out.json", "--markdown");
    expect(chosen.scenarios.map(({ name }) => name)).toEqual(["throughput", "watches"]);
    expect(chosen).toMatchObject({ runs: 1, json: "out.json", markdown: true });
  });

  it.each([
    ["nothing-of-that-name"],
    ["--runs=0"],
    ["--runs=many"],
    ["--scale=0"],
    ["--scale=-1"],
    ["--other"],
  ])("refuse %s", (argument) => {
    expect(() => read(argument)).toThrow();
  });
});
