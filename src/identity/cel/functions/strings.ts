import type { Budget } from "../budget";
import type { FunctionTable } from "../overload";
import { EvaluationError } from "../value";

/** Positions are those of code points, whatever they take in UTF-16. */
const points = (text: string, budget: Budget): string[] => {
  budget.spendText(text.length);
  return Array.from(text);
};

function position(value: bigint, length: number): number {
  if (value >= 0n && value <= BigInt(length)) return Number(value);
  throw new EvaluationError(`index out of range: ${String(value)}`);
}

const ascii = (text: string, budget: Budget, change: (letters: string) => string, letters: RegExp) => {
  budget.spendText(text.length);
  return text.replace(letters, change);
};

/** A search looks at each place once, and at each at up to all of what is looked for. */
const spendSearch = (text: string, wanted: string, budget: Budget) =>
  budget.spendText(text.length + (text.length * Math.min(wanted.length, 64)) / 8);

function indexOf(text: string, wanted: string, from: bigint, budget: Budget): bigint {
  if (wanted === "") return from;
  if (from < 0n) throw new EvaluationError(`index out of range: ${String(from)}`);
  spendSearch(text, wanted, budget);
  const all = points(text, budget);
  if (from >= BigInt(all.length)) return -1n;
  const start = all.slice(0, Number(from)).join("").length;
  const found = text.indexOf(wanted, start);
  return found === -1 ? -1n : BigInt(points(text.slice(0, found), budget).length);
}

function lastIndexOf(text: string, wanted: string, from: bigint | undefined, budget: Budget): bigint {
  const all = points(text, budget);
  if (wanted === "") return from ?? BigInt(all.length);
  if (from !== undefined && from < 0n) throw new EvaluationError(`index out of range: ${String(from)}`);
  if (from !== undefined && from >= BigInt(all.length)) return -1n;
  spendSearch(text, wanted, budget);
  const start = from === undefined ? text.length : all.slice(0, Number(from)).join("").length;
  const found = text.lastIndexOf(wanted, start);
  return found === -1 ? -1n : BigInt(points(text.slice(0, found), budget).length);
}

function split(text: string, separator: string, limit: bigint, budget: Budget): string[] {
  spendSearch(text, separator, budget);
  if (limit === 0n) return [];
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  budget.spend(parts.length);
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const whole = Number(limit) - 1;
  return [...parts.slice(0, whole), parts.slice(whole).join(separator)];
}

function replace(text: string, old: string, by: string, times: bigint, budget: Budget): string {
  const parts = split(text, old, -1n, budget);
  // An empty text is found before each code point and at the end.
  const pieces = old === "" ? ["", ...parts, ""] : parts;
  const count = times < 0n ? pieces.length - 1 : Math.min(Number(times), pieces.length - 1);
  budget.spendText(text.length + count * by.length);
  const replaced = pieces.slice(0, count + 1).join(by);
  return pieces.length - 1 > count ? replaced + old + pieces.slice(count + 1).join(old) : replaced;
}

/** Unicode's White_Space, which differs from JavaScript's by U+0085 and U+FEFF. */
const isBlank = (text: string, index: number) => /\p{White_Space}/u.test(text[index] ?? "");

const quoted: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

export const strings: FunctionTable = {
  "size(string): int": ([text]: [string], budget: Budget) => BigInt(points(text, budget).length),
  "(string).size(): int": ([text]: [string], budget: Budget) => BigInt(points(text, budget).length),
  "(string).contains(string): bool": ([text, wanted]: [string, string], budget: Budget) => {
    spendSearch(text, wanted, budget);
    return text.includes(wanted);
  },
  "(string).startsWith(string): bool": ([text, start]: [string, string], budget: Budget) => {
    budget.spendText(start.length);
    return text.startsWith(start);
  },
  "(string).endsWith(string): bool": ([text, end]: [string, string], budget: Budget) => {
    budget.spendText(end.length);
    return text.endsWith(end);
  },
  "(string).charAt(int): string": ([text, at]: [string, bigint], budget: Budget) => {
    const all = points(text, budget);
    return all[position(at, all.length)] ?? "";
  },
  "(string).indexOf(string): int": ([text, wanted]: [string, string], budget: Budget) =>
    indexOf(text, wanted, 0n, budget),
  "(string).indexOf(string, int): int": ([text, wanted, from]: [string, string, bigint], budget: Budget) =>
    indexOf(text, wanted, from, budget),
  "(string).lastIndexOf(string): int": ([text, wanted]: [string, string], budget: Budget) =>
    lastIndexOf(text, wanted, undefined, budget),
  "(string).lastIndexOf(string, int): int": (
    [text, wanted, from]: [string, string, bigint],
    budget: Budget,
  ) => lastIndexOf(text, wanted, from, budget),
  "(string).lowerAscii(): string": ([text]: [string], budget: Budget) =>
    ascii(text, budget, (letters) => letters.toLowerCase(), /[A-Z]+/g),
  "(string).upperAscii(): string": ([text]: [string], budget: Budget) =>
    ascii(text, budget, (letters) => letters.toUpperCase(), /[a-z]+/g),
  "(string).replace(string, string): string": ([text, old, by]: [string, string, string], budget: Budget) =>
    replace(text, old, by, -1n, budget),
  "(string).replace(string, string, int): string": (
    [text, old, by, times]: [string, string, string, bigint],
    budget: Budget,
  ) => replace(text, old, by, times, budget),
  "(string).split(string): list<string>": ([text, separator]: [string, string], budget: Budget) =>
    split(text, separator, -1n, budget),
  "(string).split(string, int): list<string>": (
    [text, separator, limit]: [string, string, bigint],
    budget: Budget,
  ) => split(text, separator, limit, budget),
  "(string).substring(int): string": ([text, start]: [string, bigint], budget: Budget) => {
    const all = points(text, budget);
    return all.slice(position(start, all.length)).join("");
  },
  "(string).substring(int, int): string": ([text, start, end]: [string, bigint, bigint], budget: Budget) => {
    const all = points(text, budget);
    if (start > end) throw new EvaluationError(`invalid substring range: ${String(start)}, ${String(end)}`);
    return all.slice(position(start, all.length), position(end, all.length)).join("");
  },
  "(string).trim(): string": ([text]: [string], budget: Budget) => {
    budget.spendText(text.length);
    let [start, end] = [0, text.length];
    while (start < end && isBlank(text, start)) start += 1;
    while (end > start && isBlank(text, end - 1)) end -= 1;
    return text.slice(start, end);
  },
  "strings.quote(string): string": ([text]: [string], budget: Budget) => {
    budget.spendText(2 * text.length);
    return `"${Array.from(text, (character) => quoted[character] ?? character).join("")}"`;
  },
};
