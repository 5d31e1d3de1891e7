import type { Budget } from "../budget";
import type { FunctionTable } from "../overload";
import { EvaluationError, type Value } from "../value";

/** int has 64 bits: beyond them is an error, not another number. */
function int(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw new EvaluationError("return error for overflow");
}

function divisor(value: bigint, what: string): bigint {
  if (value !== 0n) return value;
  throw new EvaluationError(`${what} by zero`);
}

export const arithmetic: FunctionTable = {
  "_+_(int, int): int": ([a, b]: [bigint, bigint]) => int(a + b),
  "_+_(double, double): double": ([a, b]: [number, number]) => a + b,
  "_+_(string, string): string": ([a, b]: [string, string], budget: Budget) => {
    budget.spendText(a.length + b.length);
    return a + b;
  },
  "_+_(list<A>, list<A>): list<A>": ([a, b]: [Value[], Value[]], budget: Budget) => {
    budget.spend(a.length + b.length);
    return [...a, ...b];
  },
  "_-_(int, int): int": ([a, b]: [bigint, bigint]) => int(a - b),
  "_-_(double, double): double": ([a, b]: [number, number]) => a - b,
  "_*_(int, int): int": ([a, b]: [bigint, bigint]) => int(a * b),
  "_*_(double, double): double": ([a, b]: [number, number]) => a * b,
  "_/_(int, int): int": ([a, b]: [bigint, bigint]) => int(a / divisor(b, "division")),
  "_/_(double, double): double": ([a, b]: [number, number]) => a / b,
  "_%_(int, int): int": ([a, b]: [bigint, bigint]) => int(a % divisor(b, "modulus")),
  "-_(int): int": ([a]: [bigint]) => int(-a),
  "-_(double): double": ([a]: [number]) => -a,
  "!_(bool): bool": ([a]: [boolean]) => !a,
};
