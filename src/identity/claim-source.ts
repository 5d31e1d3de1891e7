import { ClusterConnectError, messageOf } from "../runtime/errors";
import { BudgetExceeded, EvaluationError, type Expression } from "./cel/expression";
import { isList, rootOf, type Root, type Value } from "./cel/value";

export type Claims = Readonly<Record<string, unknown>>;

/** The claims of one token, as rules and mappings read them: by name, or through an expression. */
export class ClaimSource {
  #root: Root | undefined;

  constructor(
    readonly claims: Claims,
    private readonly maxCost: number,
  ) {}

  has(name: string): boolean {
    return Object.hasOwn(this.claims, name);
  }

  /** A claim that has to be there and be a text; null is the empty one, as at the kube-apiserver. */
  text(name: string): string {
    const value = this.has(name) ? this.claims[name] : undefined;
    if (value === null) return "";
    if (typeof value === "string") return value;
    throw new ClusterConnectError("ERR_TOKEN_CLAIM", `${name} must be a string`);
  }

  /** Throws ERR_TOKEN_EXPRESSION for an expression that gives no value, or would cost too much. */
  evaluate(expression: Expression): Value {
    this.#root ??= rootOf(this.claims);
    return evaluateOver(expression, this.#root, this.maxCost);
  }
}

export function evaluateOver(expression: Expression, root: Root, maxCost: number): Value {
  try {
    return expression.evaluate(root, maxCost);
  } catch (error) {
    if (!(error instanceof EvaluationError || error instanceof BudgetExceeded)) throw error;
    const detail = `${expression.text}: ${messageOf(error)}`;
    throw new ClusterConnectError("ERR_TOKEN_EXPRESSION", detail, { cause: error });
  }
}

/** A text, or a list of texts of which the empty ones are left out; nothing for null and for what is empty. */
export function textsOf(value: Value, expression: Expression): string[] {
  const list: readonly Value[] = isList(value) ? value : value === null ? [] : [value];
  return list
    .map((item) => {
      if (typeof item === "string") return item;
      throw new ClusterConnectError(
        "ERR_TOKEN_EXPRESSION",
        `${expression.text}: must give a string or a list of strings`,
      );
    })
    .filter((text) => text !== "");
}
