import type { Budget } from "../budget";
import { compare, holds, isEqual, mapKey } from "../comparison";
import type { FunctionTable, Implementation } from "../overload";
import type { MapKey, Value } from "../value";

type Pair = readonly [Value, Value];

const ordered: readonly (readonly [string, string])[] = [
  ["bool", "bool"],
  ["string", "string"],
  ["int", "int"],
  ["int", "double"],
  ["double", "int"],
  ["double", "double"],
];

const orders: Readonly<Record<string, (order: number) => boolean>> = {
  "_<_": (order) => order < 0,
  "_<=_": (order) => order <= 0,
  "_>_": (order) => order > 0,
  "_>=_": (order) => order >= 0,
};

const orderings: FunctionTable = Object.fromEntries(
  Object.entries(orders).flatMap(([name, holdsFor]) =>
    ordered.map(([left, right]): [string, Implementation] => [
      `${name}(${left}, ${right}): bool`,
      ([one, other]: Pair, budget: Budget) => holdsFor(compare(one, other, budget)),
    ]),
  ),
);

export const relations: FunctionTable = {
  ...orderings,
  "_==_(A, A): bool": ([one, other]: Pair, budget: Budget) => isEqual(one, other, budget),
  "_!=_(A, A): bool": ([one, other]: Pair, budget: Budget) => !isEqual(one, other, budget),
  "_in_(A, list<A>): bool": ([value, list]: [Value, Value[]], budget: Budget) => holds(list, value, budget),
  "_in_(A, map<A, B>): bool": ([value, map]: [Value, ReadonlyMap<MapKey, Value>]) => {
    const key = mapKey(value);
    return key !== undefined && map.has(key);
  },
};
