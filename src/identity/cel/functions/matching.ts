import type { Budget } from "../budget";
import type { FunctionTable, Implementation } from "../overload";
import { regularExpression, spendMatch } from "../regular-expression";

function compiled(text: string, pattern: string, budget: Budget) {
  budget.spendText(pattern.length);
  const expression = regularExpression(pattern);
  spendMatch(text, expression, budget);
  return expression;
}

const matches: Implementation = ([text, pattern]: [string, string], budget: Budget) => {
  return compiled(text, pattern, budget).matcher(text).find();
};

function findAll(text: string, pattern: string, limit: bigint, budget: Budget): string[] {
  const matcher = compiled(text, pattern, budget).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) {
    budget.spend(1);
    found.push(matcher.group() ?? "");
  }
  return found;
}

export const matching: FunctionTable = {
  "matches(string, string): bool": matches,
  "(string).matches(string): bool": matches,
  "(string).find(string): string": ([text, pattern]: [string, string], budget: Budget) =>
    findAll(text, pattern, 1n, budget)[0] ?? "",
  "(string).findAll(string): list<string>": ([text, pattern]: [string, string], budget: Budget) =>
    findAll(text, pattern, -1n, budget),
  "(string).findAll(string, int): list<string>": (
    [text, pattern, limit]: [string, string, bigint],
    budget: Budget,
  ) => findAll(text, pattern, limit, budget),
};
