import type { Budget } from "./budget";
import { mapKey } from "./comparison";
import { isTypeName, qualifiedName } from "./checker";
import { unescapedName } from "./escaped-name";
import { sorted } from "./functions/lists";
import { library } from "./library";
import type { Overload } from "./overload";
import type { Call, Loop, Node } from "./syntax";
import type { Type } from "./type";
import {
  EvaluationError,
  ForeignMap,
  isList,
  isMap,
  Optional,
  Root,
  typeNameOf,
  TypeValue,
  type MapKey,
  type Value,
} from "./value";

/** Values in reach, the innermost first. */
export interface Frame {
  readonly name: string;
  readonly value: Value;
  readonly outer: Frame | undefined;
}

/** Throws EvaluationError, or BudgetExceeded. */
export function evaluate(node: Node, frame: Frame, budget: Budget): Value {
  budget.spend(1);
  const run = (inner: Node) => evaluate(inner, frame, budget);
  switch (node.kind) {
    case "literal":
      return node.value;
    case "identifier":
      return identifierValue(node.name, frame);
    case "select":
      return select(run(node.operand), node.field, node.optional);
    case "presence":
      return isPresent(run(node.operand), node.field);
    case "list":
      return node.elements.map(run);
    case "map":
      return mapLiteral(node.entries.map(([key, value]) => [run(key), run(value)]));
    case "call":
      return call(node, frame, budget);
    case "loop":
      return loop(node, frame, budget);
  }
}

function identifierValue(name: string, frame: Frame | undefined): Value {
  for (let inner = frame; inner !== undefined; inner = inner.outer)
    if (inner.name === name) return inner.value;
  if (isTypeName(name)) return new TypeValue(name);
  throw new EvaluationError(`no such attribute: ${name}`);
}

function mapLiteral(entries: readonly (readonly [Value, Value])[]): Value {
  return new Map(
    entries.map(([key, value]): [MapKey, Value] => {
      const kept = mapKey(key);
      if (kept === undefined) throw new EvaluationError("unsupported key type");
      return [kept, value];
    }),
  );
}

/** What a map has under a key; names from outside may be written escaped. */
function lookUp(map: ReadonlyMap<MapKey, Value>, key: Value): Value | undefined {
  const plain = map instanceof ForeignMap && typeof key === "string" ? (unescapedName(key) ?? key) : key;
  const kept = mapKey(plain);
  return kept === undefined ? undefined : map.get(kept);
}

function select(operand: Value, field: string, optional: boolean): Value {
  if (operand instanceof Optional) {
    return operand.value === undefined ? Optional.none : select(operand.value, field, true);
  }
  // What has no fields at all has not this one; only to ask for its value outright is an error of its own.
  const value = isMap(operand) ? lookUp(operand, field) : undefined;
  if (optional) return value === undefined ? Optional.none : Optional.of(value);
  if (value === undefined) throw new EvaluationError(`no such key: ${field}`);
  return value;
}

function isPresent(operand: Value, field: string): boolean {
  if (operand instanceof Optional) return operand.value !== undefined && isPresent(operand.value, field);
  return isMap(operand) && lookUp(operand, field) !== undefined;
}

function index(operand: Value, key: Value, optional: boolean): Value {
  if (operand instanceof Optional) {
    return operand.value === undefined ? Optional.none : index(operand.value, key, true);
  }
  const value = isMap(operand) ? lookUp(operand, key) : elementAt(operand, key);
  if (optional) return value === undefined ? Optional.none : Optional.of(value);
  if (value === undefined) throw new EvaluationError("no such key, or index out of bounds");
  return value;
}

function elementAt(operand: Value, key: Value): Value | undefined {
  const position = mapKey(key);
  if (!isList(operand) || typeof position !== "bigint") throw new EvaluationError("no such overload: index");
  return position >= 0n && position < BigInt(operand.length) ? operand[Number(position)] : undefined;
}

function call(node: Call, frame: Frame, budget: Budget): Value {
  const run = (inner: Node | undefined) => evaluate(inner as Node, frame, budget);
  const [first, second, third] = node.args;
  switch (node.name) {
    case "_&&_":
      return logical(first as Node, second as Node, false, run);
    case "_||_":
      return logical(first as Node, second as Node, true, run);
    case "_?_:_":
      return run(boolean(run(first)) ? second : third);
    case "_[_]":
      return index(run(first), run(second), false);
    case "_[?_]":
      return index(run(first), run(second), true);
    case "or":
    case "orValue": {
      const optional = run(node.target);
      if (optional instanceof Optional && optional.value !== undefined) {
        return node.name === "or" ? optional : optional.value;
      }
      return apply(node.name, true, [optional, run(first)], budget);
    }
  }
  const qualified = qualifiedName(node);
  const isMember = node.target !== undefined && qualified === undefined;
  const values = node.args.map(run);
  return apply(qualified ?? node.name, isMember, isMember ? [run(node.target), ...values] : values, budget);
}

/** The value that decides does so from either side, even when the other has failed. */
function logical(left: Node, right: Node, deciding: boolean, run: (node: Node) => Value): boolean {
  let failure: EvaluationError | undefined;
  for (const side of [left, right]) {
    try {
      if (boolean(run(side)) === deciding) return deciding;
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

function boolean(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw new EvaluationError("no such overload: not a bool");
}

function apply(name: string, isMember: boolean, values: readonly Value[], budget: Budget): Value {
  const overload = library
    .get(name)
    ?.find((candidate) => candidate.isMember === isMember && takes(candidate, values));
  if (overload === undefined) throw new EvaluationError(`no such overload: ${name}`);
  return overload.run(values as never, budget);
}

const takes = ({ parameters }: Overload, values: readonly Value[]) =>
  parameters.length === values.length &&
  parameters.every((parameter, position) => isOf(parameter, values[position] as Value));

/** What a list or map holds is looked at as far as it chooses between overloads: by its first element. */
function isOf(type: Type, value: Value): boolean {
  if (type.isParameter === true || type.name === "dyn") return true;
  if (typeNameOf(value) !== type.name) return false;
  const [element] = type.of;
  if (!isList(value) || element === undefined) return true;
  return value.every((item) => isOf(element, item));
}

function loop(node: Loop, frame: Frame, budget: Budget): Value {
  const over = evaluate(node.range, frame, budget);
  if (node.macro.startsWith("opt")) return optional(node, over, frame, budget);
  const [first, second] = node.bodies;
  const entries = entriesOf(over, node.variables.length);
  const frames = () => entries.map((entry) => bind(node.variables, entry, frame));
  const run = (body: Node | undefined, inner: Frame) => evaluate(body as Node, inner, budget);
  switch (node.macro) {
    case "all":
    case "exists":
      return quantify(frames(), node.macro === "exists", (inner) => boolean(run(first, inner)));
    case "exists_one":
    case "existsOne":
      return frames().filter((inner) => boolean(run(first, inner))).length === 1;
    case "filter":
      return entries
        .filter((entry) => boolean(run(first, bind(node.variables, entry, frame))))
        .map(([value]) => value);
    case "sortBy":
      return sorted(
        entries.map(([value]) => value),
        frames().map((inner) => run(first, inner)),
        budget,
      );
  }
  const chosen = second === undefined ? frames() : frames().filter((inner) => boolean(run(first, inner)));
  const body = second ?? first;
  if (node.macro !== "transformMap") return chosen.map((inner) => run(body, inner));
  return new Map(chosen.map((inner) => [(inner.outer as Frame).value as MapKey, run(body, inner)]));
}

type Entry = readonly [Value, ...Value[]];

/** One variable: elements, or keys. Two: indices or keys, and elements or values. */
function entriesOf(over: Value, variables: number): readonly Entry[] {
  if (isList(over)) return over.map((item, at) => (variables === 1 ? [item] : [BigInt(at), item]));
  if (isMap(over) && !(over instanceof Root))
    return [...over].map(([key, value]) => (variables === 1 ? [key] : [key, value]));
  throw new EvaluationError("no such overload: neither list nor map");
}

const bind = (names: readonly string[], values: readonly Value[], outer: Frame): Frame =>
  names.reduce((frame: Frame, name, at) => ({ name, value: values[at] as Value, outer: frame }), outer);

/** As `||` and `&&` over all: one that decides is enough, whatever has failed. */
function quantify(frames: readonly Frame[], deciding: boolean, test: (frame: Frame) => boolean): boolean {
  let failure: EvaluationError | undefined;
  for (const frame of frames) {
    try {
      if (test(frame) === deciding) return deciding;
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

function optional({ macro, variables, bodies }: Loop, over: Value, outer: Frame, budget: Budget): Value {
  if (!(over instanceof Optional)) throw new EvaluationError("no such overload: not an optional");
  if (over.value === undefined) return over;
  const [name = ""] = variables;
  const value = evaluate(bodies[0] as Node, { name, value: over.value, outer }, budget);
  return macro === "optMap" ? Optional.of(value) : value;
}
