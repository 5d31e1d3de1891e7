/** An expression, ready to be evaluated as often as is wanted. */
import { Budget } from "./budget";
import { checkExpression, claimsType } from "./checker";
import { evaluate } from "./evaluator";
import { nodesOf, parseExpression, type Node } from "./syntax";
import { boolType, listOf, mapOf, objectType, stringType, type Type } from "./type";
import type { Value } from "./value";

export { BudgetExceeded } from "./budget";
export { ConstantRefusal } from "./checker";
export { EvaluationError } from "./value";

/** What an expression speaks of. */
export interface Subject {
  readonly variable: string;
  readonly type: Type;
}

export const claimsSubject: Subject = { variable: "claims", type: claimsType };

export const userSubject: Subject = {
  variable: "user",
  type: objectType("kubernetes.UserInfo", {
    username: stringType,
    uid: stringType,
    groups: listOf(stringType),
    extra: mapOf(stringType, listOf(stringType)),
  }),
};

export interface Expression {
  readonly text: string;
  /** Fields of the variable that it names, such as `email` of `claims.email`; undefined when it may look at any. */
  readonly fields: ReadonlySet<string> | undefined;
  /** Those that it names with a dot: `claims.x`, `claims.?x`, `has(claims.x)`. */
  readonly selects: ReadonlySet<string>;
  /** Throws EvaluationError, or BudgetExceeded when it would take more than `maxCost` steps. */
  evaluate(value: Value, maxCost: number): Value;
}

/** Throws an Error that says why for an expression that is none, or of the wrong type. */
export function compileExpression(text: string, subject: Subject, mustBeBool = false): Expression {
  const node = parseExpression(text);
  const type = checkExpression(node, subject.variable, subject.type);
  if (mustBeBool && type.name !== boolType.name) throw new Error("must evaluate to bool");
  return {
    text,
    fields: fieldsOf(node, subject.variable),
    selects: selectsOf(node, subject.variable),
    evaluate: (value, maxCost) =>
      evaluate(node, { name: subject.variable, value, outer: undefined }, new Budget(maxCost)),
  };
}

function selectsOf(root: Node, variable: string): ReadonlySet<string> {
  const selects = [...nodesOf(root)].flatMap((node) => {
    if (node.kind !== "select" && node.kind !== "presence") return [];
    const { operand, field } = node;
    return operand.kind === "identifier" && operand.name === variable ? [field] : [];
  });
  return new Set(selects);
}

function fieldsOf(root: Node, variable: string): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  let uses = 0;
  for (const node of nodesOf(root)) {
    if (node.kind === "identifier" && node.name === variable) uses += 1;
    const field = fieldOf(node, variable);
    if (field === undefined) continue;
    fields.add(field);
    uses -= 1;
  }
  return uses === 0 ? fields : undefined;
}

/** `claims.x`, `claims.?x`, `has(claims.x)`, `claims["x"]`, `claims[?"x"]`. */
function fieldOf(node: Node, variable: string): string | undefined {
  const isVariable = (operand: Node | undefined) =>
    operand?.kind === "identifier" && operand.name === variable;
  if (node.kind === "select" || node.kind === "presence") {
    return isVariable(node.operand) ? node.field : undefined;
  }
  if (node.kind !== "call" || (node.name !== "_[_]" && node.name !== "_[?_]")) return undefined;
  const [operand, key] = node.args;
  const isField = isVariable(operand) && key?.kind === "literal" && typeof key.value === "string";
  return isField ? (key.value as string) : undefined;
}
