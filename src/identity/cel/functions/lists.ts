import type { Budget } from "../budget";
import { compare, holds, isEqual } from "../comparison";
import type { FunctionTable, Implementation } from "../overload";
import { EvaluationError, isList, Optional, type MapKey, type Value } from "../value";

type List = readonly Value[];

const sizes: FunctionTable = {
  "size(list<A>): int": ([list]: [List]) => BigInt(list.length),
  "(list<A>).size(): int": ([list]: [List]) => BigInt(list.length),
  "size(map<A, B>): int": ([map]: [ReadonlyMap<MapKey, Value>]) => BigInt(map.size),
  "(map<A, B>).size(): int": ([map]: [ReadonlyMap<MapKey, Value>]) => BigInt(map.size),
};

const comparable = ["int", "double", "bool", "string"];

const forEachType = (types: readonly string[], signature: (type: string) => string, run: Implementation) =>
  Object.fromEntries(types.map((type) => [signature(type), run]));

/** The smallest by `sign` 1, the largest by -1. */
const extreme =
  (sign: number, what: string): Implementation =>
  ([list]: [List], budget: Budget) => {
    const [first, ...others] = list;
    if (first === undefined) throw new EvaluationError(`${what} called on empty list`);
    return others.reduce((best, item) => (sign * compare(item, best, budget) < 0 ? item : best), first);
  };

export function sorted(list: List, keys: List, budget: Budget): Value[] {
  budget.spend(list.length * Math.ceil(Math.log2(list.length + 2)));
  const order = list.map((_, index) => index);
  order.sort((one, other) => compare(keys[one] as Value, keys[other] as Value, budget));
  return order.map((index) => list[index] as Value);
}

const ordering: FunctionTable = {
  ...forEachType(
    comparable,
    (type) => `(list<${type}>).isSorted(): bool`,
    ([list]: [List], budget: Budget) =>
      list.every((item, i) => i === 0 || compare(list[i - 1] as Value, item, budget) <= 0),
  ),
  ...forEachType(comparable, (type) => `(list<${type}>).min(): ${type}`, extreme(1, "min")),
  ...forEachType(comparable, (type) => `(list<${type}>).max(): ${type}`, extreme(-1, "max")),
  ...forEachType(
    comparable,
    (type) => `(list<${type}>).sort(): list<${type}>`,
    ([list]: [List], budget: Budget) => sorted(list, list, budget),
  ),
  "(list<int>).sum(): int": ([list]: [readonly bigint[]], budget: Budget) => {
    budget.spend(list.length);
    const sum = list.reduce((total, item) => total + item, 0n);
    if (BigInt.asIntN(64, sum) !== sum) throw new EvaluationError("return error for overflow");
    return sum;
  },
  "(list<double>).sum(): double": ([list]: [readonly number[]], budget: Budget) => {
    budget.spend(list.length);
    return list.reduce((total, item) => total + item, 0);
  },
};

function flatten(list: List, depth: bigint, budget: Budget): Value[] {
  if (depth < 0n) throw new EvaluationError("level must be non-negative");
  budget.spend(list.length);
  if (depth === 0n) return [...list];
  const whole: Value[] = [];
  for (const item of list) {
    if (!isList(item)) whole.push(item);
    else for (const inner of flatten(item, depth - 1n, budget)) whole.push(inner);
  }
  return whole;
}

function slice(list: List, start: bigint, end: bigint, budget: Budget): List {
  const length = BigInt(list.length);
  const isInside = start >= 0n && end >= 0n && start <= end && end <= length;
  if (!isInside) throw new EvaluationError(`cannot slice(${String(start)}, ${String(end)})`);
  budget.spend(Number(end - start));
  return list.slice(Number(start), Number(end));
}

const search =
  (last: boolean): Implementation =>
  ([list, wanted]: [List, Value], budget: Budget) => {
    const same = (item: Value) => isEqual(item, wanted, budget);
    if (!last) return BigInt(list.findIndex(same));
    const fromEnd = [...list].reverse().findIndex(same);
    return BigInt(fromEnd === -1 ? -1 : list.length - 1 - fromEnd);
  };

export const lists: FunctionTable = {
  ...sizes,
  ...ordering,
  "(list<A>).indexOf(A): int": search(false),
  "(list<A>).lastIndexOf(A): int": search(true),
  "(list<A>).slice(int, int): list<A>": ([list, start, end]: [List, bigint, bigint], budget: Budget) =>
    slice(list, start, end, budget),
  "(list<list<A>>).flatten(): list<A>": ([list]: [List], budget: Budget) => flatten(list, 1n, budget),
  "(list<dyn>).flatten(int): list<dyn>": ([list, depth]: [List, bigint], budget: Budget) =>
    flatten(list, depth, budget),
  "(list<A>).reverse(): list<A>": ([list]: [List], budget: Budget) => {
    budget.spend(list.length);
    return [...list].reverse();
  },
  "(list<A>).distinct(): list<A>": ([list]: [List], budget: Budget) => {
    const kept: Value[] = [];
    for (const item of list) if (!holds(kept, item, budget)) kept.push(item);
    return kept;
  },
  "(list<A>).first(): optional<A>": ([list]: [List]) => optionally(list[0]),
  "(list<A>).last(): optional<A>": ([list]: [List]) => optionally(list.at(-1)),
  "lists.range(int): list<int>": ([count]: [bigint], budget: Budget) => {
    budget.spend(count < 0n ? 1 : Number(count));
    return Array.from({ length: count < 0n ? 0 : Number(count) }, (_, index) => BigInt(index));
  },
  "(list<string>).join(): string": ([list]: [List], budget: Budget) => join(list, "", budget),
  "(list<string>).join(string): string": ([list, separator]: [List, string], budget: Budget) =>
    join(list, separator, budget),
};

const optionally = (value: Value | undefined) => (value === undefined ? Optional.none : Optional.of(value));

function join(list: List, separator: string, budget: Budget): string {
  let length = 0;
  for (const item of list) {
    if (typeof item !== "string") throw new EvaluationError("join: not a list of strings");
    length += item.length + separator.length;
  }
  budget.spendText(length);
  return list.join(separator);
}

const contains = (whole: List, part: List, budget: Budget) =>
  part.every((item) => holds(whole, item, budget));

export const sets: FunctionTable = {
  "sets.contains(list<A>, list<A>): bool": ([whole, part]: [List, List], budget: Budget) =>
    contains(whole, part, budget),
  "sets.equivalent(list<A>, list<A>): bool": ([one, other]: [List, List], budget: Budget) =>
    contains(one, other, budget) && contains(other, one, budget),
  "sets.intersects(list<A>, list<A>): bool": ([one, other]: [List, List], budget: Budget) =>
    one.some((item) => holds(other, item, budget)),
};
