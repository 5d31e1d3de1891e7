import type { Budget } from "../budget";
import type { FunctionTable } from "../overload";
import { EvaluationError, TypeValue, typeNameOf, type Value } from "../value";

const same = ([value]: readonly [Value]) => value;

const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true])),
  ...Object.fromEntries(["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false])),
};

export const conversions: FunctionTable = {
  "dyn(A): dyn": same,
  "type(A): type<A>": ([value]: [Value]) => new TypeValue(typeNameOf(value)),
  "bool(bool): bool": same,
  "bool(string): bool": ([text]: [string]) => {
    const truth = Object.hasOwn(truths, text) ? truths[text] : undefined;
    if (truth === undefined) throw conversionError("string", "bool");
    return truth;
  },
  "int(int): int": same,
  "int(double): int": ([value]: [number]) => {
    // 2^63 as a double is the first that does not fit; so is its negative, as at the kube-apiserver.
    if (!(Math.abs(value) < 2 ** 63)) throw conversionError("double", "int");
    return BigInt(Math.trunc(value));
  },
  "int(string): int": ([text]: [string]) => {
    const value = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace(/^\+/, "")) : undefined;
    if (value === undefined || BigInt.asIntN(64, value) !== value) throw conversionError("string", "int");
    return value;
  },
  "double(double): double": same,
  "double(int): double": ([value]: [bigint]) => Number(value),
  "double(string): double": ([text]: [string]) => parseDouble(text),
  "string(string): string": same,
  "string(bool): string": ([value]: [boolean]) => String(value),
  "string(int): string": ([value]: [bigint]) => String(value),
  "string(double): string": ([value]: [number], budget: Budget) => {
    budget.spendText(24);
    return doubleText(value);
  },
};

const conversionError = (from: string, to: string) =>
  new EvaluationError(`type conversion error from '${from}' to '${to}'`);

function parseDouble(text: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    const [, sign, word = ""] = special;
    if (word.toLowerCase() === "nan" && sign === "") return NaN;
    if (word.toLowerCase() !== "nan") return sign === "-" ? -Infinity : Infinity;
  }
  const value = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) throw conversionError("string", "double");
  return value;
}

/**
 * The shortest digits that mean this double, with an exponent from a million and below a ten-thousandth: an id of
 * seven digits that was a JSON number becomes `1.234567e+06`, here as at the kube-apiserver.
 */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", exponentText = ""] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const significant = digits.replace(/[-.]/g, "").length;
  return value.toFixed(Math.max(0, significant - 1 - exponent));
}
