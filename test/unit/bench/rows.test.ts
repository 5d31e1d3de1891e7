import { percentile } from "../../../bench/measure/statistics";
import { notMeasured, rowOf, verdictOf } from "../../../bench/report/row";
import { renderTable } from "../../../bench/report/table";

const head = { scenario: "s", what: "w", unit: "ms", against: "bare chain" };

describe("a row", () => {
  it("holds medians, and the median of the runs' own ratios", () => {
    const samples = [
      { measured: 1, reference: 10 },
      { measured: 2, reference: 2 },
      { measured: 9, reference: 3 },
    ];
    expect(rowOf(head, samples)).toMatchObject({ measured: 2, reference: 3, ratio: 1, verdict: "reported" });
  });

  it("has met its target on the bound itself, and missed it beyond", () => {
    const atMost = { of: "ratio", atMost: 0.9 } as const;
    const atLeast = { of: "measured", atLeast: 3 } as const;
    expect([verdictOf(atMost, { ratio: 0.9 }), verdictOf(atMost, { ratio: 0.91 })]).toEqual([
      "met",
      "missed",
    ]);
    expect([verdictOf(atLeast, { measured: 3 }), verdictOf(atLeast, { measured: 2.9 })]).toEqual([
      "met",
      "missed",
    ]);
  });

  it("has not met a target with a value that is none", () => {
    const target = { of: "ratio", atMost: 1 } as const;
    expect(rowOf({ ...head, target }, [{ measured: Number.NaN, reference: 1 }]).verdict).toBe("missed");
    expect(rowOf({ ...head, target }, [{ measured: 1 }]).verdict).toBe("missed");
    expect(rowOf({ ...head, target }, []).verdict).toBe("missed");
  });

  it("says so when nothing was measured", () => {
    const row = notMeasured({ ...head, target: { of: "measured", atMost: 5 } }, "no kubectl here");
    expect(renderTable([row])).toContain("| not measured: no kubectl here |");
  });
});

describe("percentile", () => {
  it("lies between neighbours in proportion", () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(percentile([1, 2], 0.99)).toBeCloseTo(1.99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe("the table", () => {
  it("shows a row with its unit, reference, ratio and target", () => {
    const target = { of: "ratio", atMost: 0.9 } as const;
    const table = renderTable([rowOf({ ...head, target }, [{ measured: 1.2345, reference: 1234.5 }])]);
    expect(table.split("\n")[2]?.replaceAll(/ +/g, " ")).toBe(
      "| s | w | 1.23 ms | 1235 ms (bare chain) | 0.001 | ≤ 0.9 × | met |",
    );
  });
});
