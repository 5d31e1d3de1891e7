import type { Budget } from "./budget";
import { parseType, splitTypes, type Type } from "./type";
import type { Value } from "./value";

/** What a function does for arguments of certain types, the receiver first. Spends before it works. */
export type Implementation = (args: never, budget: Budget) => Value;

export interface Overload {
  readonly name: string;
  /** Called as `x.name(…)`; the receiver is the first parameter. */
  readonly isMember: boolean;
  readonly parameters: readonly Type[];
  readonly result: Type;
  readonly run: Implementation;
}

/** Signatures such as `size(list<A>): int`, `sets.contains(list<A>, list<A>): bool`, `(string).trim(): string`. */
export type FunctionTable = Readonly<Record<string, Implementation>>;

export const overloadsOf = (table: FunctionTable): Overload[] =>
  Object.entries(table).map(([signature, run]) => ({ ...readSignature(signature), run }));

function readSignature(signature: string): Omit<Overload, "run"> {
  const [, receiver, name = "", parameters = "", result = ""] =
    /^(?:\((.+?)\)\.)?([^(]+)\((.*)\): (.+)$/.exec(signature) ?? [];
  const types = splitTypes(parameters).map(parseType);
  return {
    name,
    isMember: receiver !== undefined,
    parameters: receiver === undefined ? types : [parseType(receiver), ...types],
    result: parseType(result),
  };
}
