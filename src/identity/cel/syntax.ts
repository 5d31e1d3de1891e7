/**
 * From text to nodes. The grammar is `@marcbachmann/cel-js`'s; types and evaluation are our own, because they have to
 * be the kube-apiserver's to the letter: what a claim's type is, what may be iterated, what an evaluation may cost.
 */
import { Environment } from "@marcbachmann/cel-js";
import type { Value } from "./value";

export type Node =
  | { readonly kind: "literal"; readonly value: Value }
  | { readonly kind: "identifier"; readonly name: string }
  | { readonly kind: "select"; readonly operand: Node; readonly field: string; readonly optional: boolean }
  /** `has(a.b)`. */
  | { readonly kind: "presence"; readonly operand: Node; readonly field: string }
  /** Functions and operators; the latter are called `_+_`, `_[_]`, `_[?_]`, `!_`, `-_`, `_&&_`, `_?_:_` and so on. */
  | Call
  | { readonly kind: "list"; readonly elements: readonly Node[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [Node, Node])[] }
  | Loop;

export interface Call {
  readonly kind: "call";
  readonly name: string;
  readonly target?: Node;
  readonly args: readonly Node[];
}

/** A macro that looks at the elements of a list, the keys of a map, or the value of an optional. */
export interface Loop {
  readonly kind: "loop";
  readonly macro: string;
  readonly range: Node;
  readonly variables: readonly string[];
  readonly bodies: readonly Node[];
}

export class SyntaxRefusal extends Error {
  override readonly name = "SyntaxRefusal";
}

/** Of an expression as text, and of its nodes, whose number also bounds how deep they can be nested. */
const limits = { characters: 16_384, maxAstNodes: 4_096, maxDepth: 128 };

const grammar = new Environment({
  enableOptionalTypes: true,
  limits: { maxAstNodes: limits.maxAstNodes, maxDepth: limits.maxDepth },
});

/** What the parser gives; its own idea of macros and types beside it is not looked at. */
interface Parsed {
  readonly op: string;
  readonly args: unknown;
}

/** Throws SyntaxRefusal. */
export function parseExpression(text: string): Node {
  if (text.length > limits.characters) {
    throw new SyntaxRefusal(`longer than ${String(limits.characters)} characters`);
  }
  let parsed: unknown;
  try {
    parsed = grammar.parse(text).ast;
  } catch (error) {
    throw new SyntaxRefusal(error instanceof Error ? error.message : String(error));
  }
  return toNode(parsed as Parsed);
}

function toNode({ op, args }: Parsed): Node {
  const list = args as readonly Parsed[];
  switch (op) {
    case "value":
      return { kind: "literal", value: literal(args) };
    case "id":
      return { kind: "identifier", name: args as string };
    case ".":
    case ".?": {
      const [operand, field] = args as [Parsed, string];
      return { kind: "select", operand: toNode(operand), field, optional: op === ".?" };
    }
    case "list":
      return { kind: "list", elements: list.map(toNode) };
    case "map": {
      const entries = args as readonly (readonly [Parsed, Parsed])[];
      return { kind: "map", entries: entries.map(([key, value]) => [toNode(key), toNode(value)] as const) };
    }
    case "call": {
      const [name, given] = args as [string, readonly Parsed[]];
      return callOf(name, given.map(toNode));
    }
    case "rcall": {
      const [name, receiver, given] = args as [string, Parsed, readonly Parsed[]];
      return memberCall(name, toNode(receiver), given.map(toNode));
    }
    case "!_":
    case "-_":
      return negation(op, toNode(args as Parsed));
    default:
      return operator(op, list.map(toNode));
  }
}

const operatorNames: Readonly<Record<string, string>> = { "[]": "_[_]", "[?]": "_[?_]", "?:": "_?_:_" };

const operator = (op: string, args: readonly Node[]): Call => ({
  kind: "call",
  name: operatorNames[op] ?? `_${op}_`,
  args,
});

function literal(value: unknown): Value {
  const isKnown = value === null || ["string", "number", "boolean", "bigint"].includes(typeof value);
  if (!isKnown) throw new SyntaxRefusal("bytes and unsigned integers are not offered here");
  if (typeof value === "bigint" && value > largestInt + 1n)
    throw new SyntaxRefusal("an integer is too large");
  return value as Value;
}

const largestInt = 9_223_372_036_854_775_807n;

/** The least int has no positive counterpart: only here may its digits stand. */
function negation(op: string, arg: Node): Node {
  if (
    op === "-_" &&
    arg.kind === "literal" &&
    (typeof arg.value === "bigint" || typeof arg.value === "number")
  ) {
    return { kind: "literal", value: -arg.value };
  }
  return { kind: "call", name: op, args: [arg] };
}

function callOf(name: string, args: readonly Node[]): Node {
  if (name !== "has" || args.length !== 1) return { kind: "call", name, args };
  const [arg] = args;
  if (arg?.kind !== "select" || arg.optional)
    throw new SyntaxRefusal("has() takes a field, such as claims.sub");
  return { kind: "presence", operand: arg.operand, field: arg.field };
}

/** Macros by name: how many variables and how many bodies they take. */
const macros: Readonly<Record<string, readonly (readonly [variables: number, bodies: number])[]>> = {
  all: [
    [1, 1],
    [2, 1],
  ],
  exists: [
    [1, 1],
    [2, 1],
  ],
  exists_one: [[1, 1]],
  existsOne: [[2, 1]],
  map: [
    [1, 1],
    [1, 2],
  ],
  filter: [[1, 1]],
  transformList: [
    [2, 1],
    [2, 2],
  ],
  transformMap: [
    [2, 1],
    [2, 2],
  ],
  sortBy: [[1, 1]],
  optMap: [[1, 1]],
  optFlatMap: [[1, 1]],
};

function memberCall(name: string, target: Node, args: readonly Node[]): Node {
  const shapes = Object.hasOwn(macros, name) ? macros[name] : undefined;
  const shape = shapes?.find(([variables, bodies]) => variables + bodies === args.length);
  if (shape === undefined) return { kind: "call", name, target, args };
  const [count] = shape;
  const variables = args.slice(0, count).map((arg) => {
    if (arg.kind === "identifier") return arg.name;
    throw new SyntaxRefusal(`the variable of ${name}() must be a name`);
  });
  return { kind: "loop", macro: name, range: target, variables, bodies: args.slice(count) };
}

/** Every node, the outermost first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesOf(child);
}

function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "select":
    case "presence":
      return [node.operand];
    case "call":
      return node.target === undefined ? node.args : [node.target, ...node.args];
    case "list":
      return node.elements;
    case "map":
      return node.entries.flat();
    case "loop":
      return [node.range, ...node.bodies];
    default:
      return [];
  }
}
