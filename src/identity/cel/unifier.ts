import { dynType, isDyn, isSameType, parameter, type Type } from "./type";

type Bindings = Map<string, Type>;

/**
 * Which types may stand where others are asked for, and what that says of type parameters: the rules of CEL's
 * reference checker, so that an expression is accepted here when it is accepted there.
 */
export class Unifier {
  #bindings: Bindings = new Map();
  #fresh = 0;

  /** Binds parameters as needed and says whether each type may stand for its counterpart; binds nothing if not. */
  accept(actual: readonly Type[], wanted: readonly Type[]): boolean {
    const trial = new Map(this.#bindings);
    if (!allAssignable(trial, actual, wanted)) return false;
    this.#bindings = trial;
    return true;
  }

  /** The types with parameters of their own, so that two uses of one signature do not meet. */
  instantiate(types: readonly Type[]): Type[] {
    const own = new Map<string, Type>();
    const rename = (type: Type): Type => {
      if (type.isParameter !== true)
        return type.of.length === 0 ? type : { ...type, of: type.of.map(rename) };
      const known = own.get(type.name) ?? this.freshParameter();
      own.set(type.name, known);
      return known;
    };
    return types.map(rename);
  }

  freshParameter(): Type {
    this.#fresh += 1;
    return parameter(`_${String(this.#fresh)}`);
  }

  /** The type with every bound parameter replaced. */
  resolve(type: Type): Type {
    const bound = this.#bindings.get(type.name);
    if (type.isParameter === true && bound !== undefined) return this.resolve(bound);
    return type.of.length === 0 ? type : { ...type, of: type.of.map((inner) => this.resolve(inner)) };
  }

  /** The same; what nothing is known of is dyn. */
  resolveFully(type: Type): Type {
    const resolved = this.resolve(type);
    if (resolved.isParameter === true) return dynType;
    return resolved.of.length === 0
      ? resolved
      : { ...resolved, of: resolved.of.map((inner) => this.resolveFully(inner)) };
  }
}

const allAssignable = (bindings: Bindings, actual: readonly Type[], wanted: readonly Type[]): boolean =>
  actual.length === wanted.length &&
  actual.every((type, index) => isAssignable(bindings, type, wanted[index] as Type));

function isAssignable(bindings: Bindings, actual: Type, wanted: Type): boolean {
  if (wanted.isParameter === true) {
    const { fits, wasBound } = bind(bindings, wanted, actual);
    if (fits) return true;
    if (wasBound) return false;
  }
  if (actual.isParameter === true) return bind(bindings, actual, wanted).fits;
  if (isDyn(actual) || isDyn(wanted)) return true;
  if (actual.name === "null_type") return isNullable(wanted);
  if (wanted.name === "null_type") return isNullable(actual);
  if (actual.name === "type") return wanted.name === "type";
  return actual.name === wanted.name && allAssignable(bindings, actual.of, wanted.of);
}

const isNullable = ({ name, fields }: Type) =>
  name === "null_type" || name === "optional_type" || fields !== undefined;

/** Takes `type` for what `parameter` stands for, unless that contradicts what is known of it. */
function bind(bindings: Bindings, parameter: Type, type: Type): { fits: boolean; wasBound: boolean } {
  if (type.isParameter === true && type.name === parameter.name) return { fits: true, wasBound: true };
  const bound = bindings.get(parameter.name);
  if (bound === undefined) {
    if (occursIn(bindings, parameter, type)) return { fits: false, wasBound: false };
    bindings.set(parameter.name, type);
    return { fits: true, wasBound: false };
  }
  if (isSameType(type, bound)) return { fits: true, wasBound: true };
  if (!isAssignable(bindings, type, bound)) return { fits: false, wasBound: true };
  const wider = moreGeneral(type, bound);
  if (!occursIn(bindings, parameter, wider)) bindings.set(parameter.name, wider);
  return { fits: true, wasBound: true };
}

function occursIn(bindings: Bindings, parameter: Type, type: Type): boolean {
  if (type.isParameter !== true) return type.of.some((inner) => occursIn(bindings, parameter, inner));
  if (type.name === parameter.name) return true;
  const bound = bindings.get(type.name);
  return bound !== undefined && occursIn(bindings, parameter, bound);
}

/** Of two types that go together, the one that says less. */
export const moreGeneral = (one: Type, other: Type): Type => (saysNoMore(one, other) ? one : other);

function saysNoMore(one: Type, other: Type): boolean {
  if (isDyn(one) || one.isParameter === true) return true;
  if (isDyn(other) || other.isParameter === true) return false;
  if (one.name !== other.name || one.of.length !== other.of.length) return false;
  if (one.name === "type") return true;
  return one.of.every((type, index) => saysNoMore(type, other.of[index] as Type));
}
