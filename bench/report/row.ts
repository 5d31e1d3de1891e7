/** What a scenario reports: one measured quantity, what it is compared with, and whether that is good enough. */
import { median } from "../measure/statistics";

export interface Target {
  readonly of: "ratio" | "measured";
  readonly atMost?: number;
  readonly atLeast?: number;
}

export type Verdict = "met" | "missed" | "reported" | "not measured";

export interface Row {
  readonly scenario: string;
  readonly what: string;
  readonly unit: string;
  readonly measured?: number | undefined;
  readonly reference?: number | undefined;
  /** What the reference is. */
  readonly against?: string | undefined;
  /** measured ÷ reference: the median of each run's own, since a shared machine changes between runs. */
  readonly ratio?: number | undefined;
  readonly target?: Target | undefined;
  readonly verdict: Verdict;
  readonly note?: string | undefined;
}

export interface Sample {
  readonly measured: number;
  readonly reference?: number | undefined;
}

export type RowHead = Pick<Row, "scenario" | "what" | "unit" | "against" | "target" | "note">;

/** One row of the samples of all runs. */
export function rowOf(head: RowHead, samples: readonly Sample[]): Row {
  const pairs = samples.flatMap(({ measured, reference }) =>
    reference === undefined ? [] : [{ measured, reference }],
  );
  const hasReference = pairs.length > 0;
  const values = {
    measured: median(samples.map(({ measured }) => measured)),
    reference: hasReference ? median(pairs.map(({ reference }) => reference)) : undefined,
    ratio: hasReference ? median(pairs.map(({ measured, reference }) => measured / reference)) : undefined,
  };
  return { ...head, ...values, verdict: verdictOf(head.target, values) };
}

export const notMeasured = (head: RowHead, note: string): Row => ({ ...head, note, verdict: "not measured" });

/** A value that is not a number has met nothing. */
export function verdictOf(
  target: Target | undefined,
  values: { readonly measured?: number | undefined; readonly ratio?: number | undefined },
): Verdict {
  if (target === undefined) return "reported";
  const { atMost = Infinity, atLeast = -Infinity } = target;
  const value = values[target.of] ?? Number.NaN;
  return value <= atMost && value >= atLeast ? "met" : "missed";
}
