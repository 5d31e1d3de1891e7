import type { FunctionTable } from "../overload";
import { EvaluationError, ForeignMap, isList, isMap, Optional, type Value } from "../value";

/** An empty object of the token's is none of these, as at the kube-apiserver. */
function isZero(value: Value): boolean {
  if (value === null || value === "" || value === false || value === 0 || value === 0n) return true;
  return (
    (isList(value) && value.length === 0) ||
    (isMap(value) && value.size === 0 && !(value instanceof ForeignMap))
  );
}

/** `or` and `orValue` are here for their types: their second half is evaluated only when it is needed. */
export const optionals: FunctionTable = {
  "optional.of(A): optional<A>": ([value]: [Value]) => Optional.of(value),
  "optional.ofNonZeroValue(A): optional<A>": ([value]: [Value]) =>
    isZero(value) ? Optional.none : Optional.of(value),
  "optional.none(): optional<A>": () => Optional.none,
  "(optional<A>).hasValue(): bool": ([optional]: [Optional]) => optional.value !== undefined,
  "(optional<A>).value(): A": ([optional]: [Optional]) => {
    if (optional.value === undefined) throw new EvaluationError("optional.none() dereference");
    return optional.value;
  },
  "(optional<A>).or(optional<A>): optional<A>": ([one, other]: [Optional, Optional]) =>
    one.value === undefined ? other : one,
  "(optional<A>).orValue(A): A": ([one, other]: [Optional, Value]) => one.value ?? other,
};
