/**
 * What CEL expressions compute with: null, bool, string, double (number), int (bigint, 64 bits), list (array), map,
 * optional and type. A claim's number is a double, as JSON has no other.
 */
export type Value =
  | null
  | boolean
  | string
  | number
  | bigint
  | readonly Value[]
  | ReadonlyMap<MapKey, Value>
  | Optional
  | TypeValue;

export type MapKey = string | number | bigint | boolean;

export class Optional {
  static readonly none = new Optional(undefined);

  private constructor(readonly value: Value | undefined) {}

  static of(value: Value): Optional {
    return new Optional(value);
  }
}

/** What `type(x)` gives, and what names such as `string` stand for. */
export class TypeValue {
  constructor(readonly name: string) {}
}

/** A map that came from outside the expression: names in it may be written escaped, such as `a__dot__b`. */
export class ForeignMap extends Map<MapKey, Value> {}

/**
 * The variable itself, `claims` or `user`. At the kube-apiserver it has fields and is no map in any other respect: it
 * has no size, nothing is in it, nobody goes through it.
 */
export class Root extends ForeignMap {}

/** Why an expression gave no value. */
export class EvaluationError extends Error {
  override readonly name: string = "EvaluationError";
}

/** From what JSON.parse gives. */
export function fromJson(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json !== "object" || json === null) return json as null | boolean | string | number;
  return new ForeignMap(Object.entries(json).map(([name, value]) => [name, fromJson(value)]));
}

/** The variable of an expression, from an object that JSON.parse gave. */
export const rootOf = (json: object): Root =>
  new Root(Object.entries(json).map(([name, value]) => [name, fromJson(value)]));

/** The name of a value's type, as `type(x)` has it and as overloads are chosen by. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    default:
      if (value === null) return "null_type";
      if (value instanceof Optional) return "optional_type";
      if (value instanceof TypeValue) return "type";
      if (value instanceof Root) return "object";
      return Array.isArray(value) ? "list" : "map";
  }
}

export const isMap = (value: Value): value is ReadonlyMap<MapKey, Value> => value instanceof Map;
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
