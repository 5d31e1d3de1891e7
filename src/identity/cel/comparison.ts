import type { Budget } from "./budget";
import { EvaluationError, isList, isMap, Optional, TypeValue, type MapKey, type Value } from "./value";

/** CEL's `==`: numbers by value whatever their type, everything else by type and content. Never an error. */
export function isEqual(one: Value, other: Value, budget: Budget): boolean {
  budget.spend(1);
  if (isNumber(one) && isNumber(other)) return numericOrder(one, other) === 0;
  if (typeof one === "string" && typeof other === "string") {
    budget.spendText(Math.min(one.length, other.length));
    return one === other;
  }
  if (isList(one) && isList(other)) {
    return one.length === other.length && one.every((item, i) => isEqual(item, other[i] as Value, budget));
  }
  if (isMap(one) && isMap(other)) {
    if (one.size !== other.size) return false;
    return [...one].every(([key, value]) => {
      const counterpart = other.get(key);
      return counterpart !== undefined && isEqual(value, counterpart, budget);
    });
  }
  if (one instanceof Optional && other instanceof Optional) {
    if (one.value === undefined || other.value === undefined) return one.value === other.value;
    return isEqual(one.value, other.value, budget);
  }
  if (one instanceof TypeValue && other instanceof TypeValue) return one.name === other.name;
  return one === other;
}

const isNumber = (value: Value): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

/** An int beside a double is taken for the double nearest to it, as at the kube-apiserver. */
function numericOrder(one: number | bigint, other: number | bigint): number {
  const [a, b] = typeof one === typeof other ? [one, other] : [Number(one), Number(other)];
  if (a === b) return 0;
  return a < b ? -1 : a > b ? 1 : NaN;
}

/** Below zero, zero, above; NaN where a double is not a number. Texts are ordered by code point. */
export function compare(one: Value, other: Value, budget: Budget): number {
  budget.spend(1);
  if (isNumber(one) && isNumber(other)) return numericOrder(one, other);
  if (typeof one === "string" && typeof other === "string") {
    budget.spendText(Math.min(one.length, other.length));
    return Buffer.compare(Buffer.from(one), Buffer.from(other));
  }
  if (typeof one === "boolean" && typeof other === "boolean") return Number(one) - Number(other);
  throw new EvaluationError("no such overload");
}

/** What a map keeps a key under: a whole double is the int of the same value. Undefined: no map has such a key. */
export function mapKey(value: Value): MapKey | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  return typeof value === "string" || typeof value === "bigint" || typeof value === "boolean"
    ? value
    : undefined;
}

/** Whether the list holds an equal of the value. */
export const holds = (list: readonly Value[], value: Value, budget: Budget): boolean =>
  list.some((item) => isEqual(item, value, budget));
