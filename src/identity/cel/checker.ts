import { Budget } from "./budget";
import { library, notOffered } from "./library";
import { regularExpression } from "./regular-expression";
import type { Call, Loop, Node } from "./syntax";
import {
  anyType,
  boolType,
  doubleType,
  dynType,
  intType,
  isDyn,
  isSameType,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  stringType,
  typeOf,
  typeText,
  type Type,
} from "./type";
import { moreGeneral, Unifier } from "./unifier";
import { EvaluationError, typeNameOf, type Value } from "./value";

/** Names in reach, the innermost first. */
interface Scope {
  readonly name: string;
  readonly type: Type;
  readonly outer: Scope | undefined;
}

export class TypeRefusal extends Error {
  override readonly name = "TypeRefusal";
}

/** A constant that cannot be converted: an error of its own kind at the kube-apiserver. */
export class ConstantRefusal extends Error {
  override readonly name = "ConstantRefusal";
}

/** Names of types are values: `type(claims.groups) == list`. */
const typeNames: Readonly<Record<string, Type>> = {
  bool: boolType,
  int: intType,
  double: doubleType,
  string: stringType,
  null_type: nullType,
  list: listOf(dynType),
  map: mapOf(dynType, dynType),
  type: typeOf(dynType),
};

export const isTypeName = (name: string): boolean => Object.hasOwn(typeNames, name);

/** `sets.contains(…)` looks like a call of a member and is one of a function with a dot in its name. */
export const qualifiedName = ({ name, target }: Call): string | undefined =>
  target?.kind === "identifier" && library.has(`${target.name}.${name}`)
    ? `${target.name}.${name}`
    : undefined;

/** Finds an expression's type, by the kube-apiserver's rules. Throws TypeRefusal. */
export function checkExpression(node: Node, variable: string, type: Type): Type {
  const checker = new Checker();
  return checker.types.resolveFully(checker.check(node, { name: variable, type, outer: undefined }));
}

class Checker {
  readonly types = new Unifier();

  check(node: Node, scope: Scope): Type {
    switch (node.kind) {
      case "literal":
        return literalType(node.value);
      case "identifier":
        return identifierType(node.name, scope);
      case "select":
        return this.#select(node.operand, node.field, node.optional, scope);
      case "presence":
        this.#select(node.operand, node.field, false, scope);
        return boolType;
      case "list":
        return listOf(this.#join(node.elements, scope));
      case "map": {
        const [keys, values] = [node.entries.map(([key]) => key), node.entries.map(([, value]) => value)];
        return mapOf(this.#join(keys, scope), this.#join(values, scope));
      }
      case "call":
        return this.#call(node, scope);
      case "loop":
        return this.types.resolve(this.#loop(node, scope));
    }
  }

  #select(operand: Node, field: string, optional: boolean, scope: Scope): Type {
    const whole = this.types.resolve(this.check(operand, scope));
    const isOptional = whole.name === "optional_type";
    const result = this.types.resolve(this.#fieldType(isOptional ? (whole.of[0] as Type) : whole, field));
    return isOptional || optional ? optionalOf(result) : result;
  }

  #fieldType(type: Type, field: string): Type {
    if (type.isParameter === true) {
      this.types.accept([dynType], [type]);
      return dynType;
    }
    if (type.name === "map") return type.of[1] as Type;
    if (type.fields !== undefined) {
      const known = Object.hasOwn(type.fields, field) ? type.fields[field] : undefined;
      if (known === undefined) throw new TypeRefusal(`undefined field '${field}'`);
      return known;
    }
    if (isDyn(type)) return dynType;
    throw new TypeRefusal(`type '${typeText(type)}' does not support field selection`);
  }

  /** Elements of one literal are of one type; a claim beside a text is not, whatever the claim turns out to be. */
  #join(nodes: readonly Node[], scope: Scope): Type {
    const types = nodes.map((node) => this.check(node, scope));
    let joined = types[0];
    for (const type of types.slice(1)) {
      if (joined === undefined || !this.types.accept([joined], [type])) throw mixed(joined ?? type, type);
      joined = moreGeneral(joined, type);
    }
    const [first, ...others] = types.map((type) => this.types.resolveFully(type));
    const other = others.find((type) => first !== undefined && !isSameType(type, first));
    if (first !== undefined && other !== undefined) throw mixed(first, other);
    return joined ?? this.types.freshParameter();
  }

  #call(node: Call, scope: Scope): Type {
    const qualified = qualifiedName(node);
    const isMember = node.target !== undefined && qualified === undefined;
    const actual = node.args.map((arg) => this.check(arg, scope));
    const receiver = isMember ? [this.check(node.target as Node, scope)] : [];
    checkConstants(node);
    return this.#resolve(qualified ?? node.name, isMember, [...receiver, ...actual]);
  }

  /** Every overload that the arguments may be meant for; where they differ in their result, it is dyn. */
  #resolve(name: string, isMember: boolean, actual: readonly Type[]): Type {
    const overloads = library.get(name);
    if (overloads === undefined) {
      if (notOffered.has(name)) throw new TypeRefusal(`${name}() is not offered here`);
      throw new TypeRefusal(`undeclared reference to '${name}'`);
    }
    let result: Type | undefined;
    for (const overload of overloads) {
      if (overload.isMember !== isMember || overload.parameters.length !== actual.length) continue;
      const [own, ...wanted] = this.types.instantiate([overload.result, ...overload.parameters]);
      if (!this.types.accept(actual, wanted)) continue;
      const type = this.types.resolve(own as Type);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !isSameType(result, type)) result = dynType;
    }
    if (result !== undefined) return result;
    const text = actual.map((type) => typeText(this.types.resolveFully(type))).join(", ");
    throw new TypeRefusal(`found no matching overload for '${name}' applied to '(${text})'`);
  }

  #loop({ macro, range, variables, bodies }: Loop, scope: Scope): Type {
    const over = this.types.resolve(this.check(range, scope));
    if (macro.startsWith("opt")) return this.#optional(macro, over, variables, bodies, scope);
    const within = this.#bind(variables, over, scope);
    const types = bodies.map((body) => this.check(body, within));
    const last = types.at(-1) as Type;
    if (macro === "sortBy") {
      if (over.name !== "list" && !isDyn(over)) throw new TypeRefusal("sortBy() takes a list");
      this.#resolve("sort", true, [listOf(last)]);
      return over;
    }
    // With two bodies the first is the condition; the makers of lists and maps have it only then.
    const makes = ["map", "transformList", "transformMap"].includes(macro);
    const condition = makes ? (types.length === 2 ? types[0] : undefined) : last;
    if (condition !== undefined && !this.types.accept([condition], [boolType])) {
      throw new TypeRefusal(`expected type 'bool' but found '${typeText(this.types.resolve(condition))}'`);
    }
    if (macro === "filter") return listOf(this.#elementTypes(over)[0]);
    if (macro === "transformMap") return mapOf(this.#elementTypes(over)[0], last);
    return makes ? listOf(last) : boolType;
  }

  #bind(variables: readonly string[], over: Type, outer: Scope): Scope {
    const [first, second] = this.#elementTypes(over);
    const [name = "", other] = variables;
    if (other === undefined) return { name, type: first, outer };
    const key = over.name === "list" ? intType : first;
    return { name: other, type: over.name === "list" ? first : second, outer: { name, type: key, outer } };
  }

  /** Of a list: its elements', twice. Of a map: its keys' and its values'. */
  #elementTypes(over: Type): [Type, Type] {
    if (over.name === "list") return [over.of[0] as Type, over.of[0] as Type];
    if (over.name === "map") return [over.of[0] as Type, over.of[1] as Type];
    if (over.name !== "dyn" && over.isParameter !== true) {
      const what = typeText(over);
      throw new TypeRefusal(
        `expression of type '${what}' cannot be range of a comprehension (must be list, map, or dynamic)`,
      );
    }
    this.types.accept([dynType], [over]);
    return [dynType, dynType];
  }

  #optional(
    macro: string,
    over: Type,
    [name = ""]: readonly string[],
    [body]: readonly Node[],
    outer: Scope,
  ): Type {
    const value = this.#resolve("value", true, [over]);
    const type = this.check(body as Node, { name, type: value, outer });
    return macro === "optMap" ? optionalOf(type) : this.#resolve("or", true, [type, type]);
  }
}

const mixed = (expected: Type, found: Type) =>
  new TypeRefusal(`expected type '${typeText(expected)}' but found '${typeText(found)}'`);

/** What is written out in full is tried when the configuration is loaded: conversions and patterns. */
function checkConstants({ name, target, args }: Call): void {
  const constant = args.at(name === "matches" ? -1 : 0);
  if (constant?.kind !== "literal") return;
  const isConversion = target === undefined && args.length === 1 && tried.has(name);
  const isMatch = patterned.has(name) && typeof constant.value === "string";
  try {
    if (isMatch) regularExpression(constant.value);
    else if (isConversion) evaluateConstant(name, constant.value);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    const message = `${name}(): ${error.message}`;
    throw name === "matches" ? new TypeRefusal(message) : new ConstantRefusal(message);
  }
}

const tried = new Set(["bool", "double", "int", "string"]);
const patterned = new Set(["matches", "find", "findAll"]);

function evaluateConstant(name: string, value: Value): void {
  const overload = library.get(name)?.find(({ parameters }) => parameters[0]?.name === typeNameOf(value));
  overload?.run([value] as never, new Budget(1_000));
}

const largestInt = 9_223_372_036_854_775_807n;

function literalType(value: Value): Type {
  if (typeof value === "bigint" && value > largestInt) throw new TypeRefusal("an integer is too large");
  if (value === null) return nullType;
  const types = { string: stringType, boolean: boolType, bigint: intType, number: doubleType };
  return types[typeof value as keyof typeof types];
}

function identifierType(name: string, scope: Scope | undefined): Type {
  for (let inner = scope; inner !== undefined; inner = inner.outer)
    if (inner.name === name) return inner.type;
  const named = Object.hasOwn(typeNames, name) ? typeNames[name] : undefined;
  if (named !== undefined) return typeOf(named);
  throw new TypeRefusal(`undeclared reference to '${name}'`);
}

/** `claims` of a token. */
export const claimsType = mapOf(stringType, anyType);
