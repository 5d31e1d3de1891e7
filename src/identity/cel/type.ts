/** The static types of expressions. */
export interface Type {
  /** `bool`, `int`, `list`, …; the parameter's own name where `isParameter`. */
  readonly name: string;
  readonly of: readonly Type[];
  readonly isParameter?: true;
  /** Of an object type: the fields that it has. */
  readonly fields?: Readonly<Record<string, Type>>;
}

const simple = (name: string): Type => ({ name, of: [] });

export const dynType = simple("dyn");
/** A claim's type: dyn in all but one respect, it cannot be iterated over before it has gone through `dyn()`. */
export const anyType = simple("any");
export const boolType = simple("bool");
export const intType = simple("int");
export const doubleType = simple("double");
export const stringType = simple("string");
export const nullType = simple("null_type");
export const listOf = (element: Type): Type => ({ name: "list", of: [element] });
export const mapOf = (key: Type, value: Type): Type => ({ name: "map", of: [key, value] });
export const optionalOf = (value: Type): Type => ({ name: "optional_type", of: [value] });
export const typeOf = (type: Type): Type => ({ name: "type", of: [type] });
export const parameter = (name: string): Type => ({ name, of: [], isParameter: true });
export const objectType = (name: string, fields: Readonly<Record<string, Type>>): Type => ({
  name,
  of: [],
  fields,
});

export const isDyn = ({ name }: Type): boolean => name === "dyn" || name === "any";

export const isSameType = (one: Type, other: Type): boolean =>
  one.name === other.name &&
  one.of.length === other.of.length &&
  one.of.every((type, index) => isSameType(type, other.of[index] as Type));

/** As messages have it: `map(string, any)`. */
export const typeText = ({ name, of }: Type): string =>
  of.length === 0 ? name : `${name}(${of.map(typeText).join(", ")})`;

/** Reads `list<A>`, `map<string, A>`; a single capital letter is a parameter. */
export function parseType(text: string): Type {
  const [, name = "", inner] = /^([\w.]+)(?:<(.*)>)?$/.exec(text.trim()) ?? [];
  if (/^[A-Z]$/.test(name)) return parameter(name);
  const full = name === "optional" ? "optional_type" : name;
  return { name: full, of: inner === undefined ? [] : splitTypes(inner).map(parseType) };
}

/** The parts between the commas that no bracket encloses. */
export function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = "";
  for (const character of text) {
    if (character === "<") depth += 1;
    if (character === ">") depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(current);
      current = "";
    } else current += character;
  }
  return current.trim() === "" ? parts : [...parts, current];
}
