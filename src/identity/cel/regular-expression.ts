import { RE2JS } from "re2js";
import type { Budget } from "./budget";
import { EvaluationError } from "./value";

/** Of patterns that claims were made into, the number that is kept compiled; and the length of any. */
const maxPatternCharacters = 1_024;
const kept = new Map<string, RE2JS>();
const maxKept = 256;

/**
 * Go's syntax, and time that grows with the text and never beyond: a pattern of JavaScript's own could be made to run
 * for hours by whoever chooses a claim. Throws EvaluationError for a pattern that is none.
 */
export function regularExpression(pattern: string): RE2JS {
  const known = kept.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > maxPatternCharacters) throw new EvaluationError("the pattern is too long");
  try {
    const compiled = RE2JS.compile(pattern);
    const [oldest] = kept.keys();
    if (kept.size >= maxKept && oldest !== undefined) kept.delete(oldest);
    kept.set(pattern, compiled);
    return compiled;
  } catch (error) {
    throw new EvaluationError(`error parsing regexp: ${error instanceof Error ? error.message : ""}`);
  }
}

/** Each character of the text meets each state of the compiled pattern at most: some 20 of those a step's time. */
export const spendMatch = (text: string, pattern: RE2JS, budget: Budget): void =>
  budget.spend(1 + (text.length * pattern.programSize()) / 20);
