import {
  BudgetExceeded,
  claimsSubject,
  compileExpression,
  EvaluationError,
  userSubject,
} from "../../../../src/identity/cel/expression";
import { isList, isMap, Optional, rootOf, TypeValue, type Value } from "../../../../src/identity/cel/value";
import table from "../../../support/authentication-cases/expressions.json";

/** What the kube-apiserver's own compiler and evaluator made of the expression, over the claims of the table. */
interface ExpressionCase {
  readonly expression: string;
  readonly subject?: string;
  readonly mustBeBool?: boolean;
  readonly refused?: boolean;
  readonly fails?: boolean;
  readonly value?: unknown;
  /** Not offered here, and refused when the configuration is loaded: docs/authentication.md. */
  readonly differs?: string;
}

/** As the table writes values down: an int apart from a double, an optional and a type apart from anything else. */
function written(value: Value): unknown {
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "number") return Number.isFinite(value) ? value : "nonfinite";
  if (value instanceof Optional) return { optional: value.value === undefined ? null : plain(value.value) };
  if (value instanceof TypeValue) return { typeName: value.name };
  if (isList(value)) return value.map(written);
  if (isMap(value))
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), written(inner)]));
  return value;
}

const plain = (value: Value): unknown =>
  typeof value === "bigint" ? Number(value) : isList(value) ? value.map(plain) : value;

const subjects = { claims: claimsSubject, user: userSubject };

function outcomeOf({ expression, subject = "claims", mustBeBool }: ExpressionCase): unknown {
  const name = subject as "claims" | "user";
  let compiled;
  try {
    compiled = compileExpression(expression, subjects[name], mustBeBool);
  } catch {
    return { refused: true };
  }
  try {
    return { value: written(compiled.evaluate(rootOf(table[name]), 1_000_000)) };
  } catch (error) {
    expect(error).toBeInstanceOf(EvaluationError);
    return { fails: true };
  }
}

describe("CEL expressions", () => {
  it.each((table.cases as ExpressionCase[]).map((item) => [item.expression, item] as const))(
    "%s does as at the kube-apiserver",
    (_, item) => {
      const { refused, fails, value, differs } = item;
      const expected =
        differs !== undefined || refused === true ? { refused } : fails === true ? { fails } : { value };
      expect(outcomeOf(item)).toEqual(differs === undefined ? expected : { refused: true });
    },
  );

  it("says of a function that is known and not offered that it is so", () => {
    expect(() => compileExpression('timestamp("x") == timestamp("y")', claimsSubject)).toThrow(
      "timestamp() is not offered here",
    );
    expect(() => compileExpression("claims.sub.nonsense()", claimsSubject)).toThrow(
      "undeclared reference to 'nonsense'",
    );
  });

  it.each([
    ["loops in loops", "dyn(claims.l).all(a, dyn(claims.l).all(b, a == a && b == b))"],
    ["a text that grows", 'claims.s.replace("", claims.s).size() > 0'],
    ["texts that double", Array(40).fill("lists.range(99999).map(i, claims.s)").join(" == ")],
    ["comparing large lists", "dyn(claims.l).all(a, claims.l == claims.l)"],
    ["distinct over many", "dyn(claims.l).map(a, a).distinct().size() == 0"],
    ["joining the same text often", "dyn(claims.l).map(a, claims.s).join(claims.s).size() == 0"],
    [
      "a pattern that others would try for years",
      'claims.s.matches("(a+)+(b+)+(a+)+$") || claims.s.matches(claims.s)',
    ],
    ["a pattern of many states", 'claims.s.matches("([ab]{30}){30}[bc]$")'],
    ["a range without end", "lists.range(9223372036854775807).size() == 0"],
    ["sorting for ever", "dyn(claims.l).all(x, dyn(claims.l).map(y, string(y)).sort().size() > 0)"],
    ["splitting into characters", 'dyn(claims.l).all(x, claims.s.split("").size() > 0)'],
  ])("are bounded in cost: %s", (_, text) => {
    const claims = rootOf({ l: Array.from({ length: 20_000 }, (__, i) => i), s: "a".repeat(60_000) });
    const started = performance.now();
    expect(() => compileExpression(text, claimsSubject).evaluate(claims, 1_000_000)).toThrow();
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("are not saved from their bound by an || that would decide", () => {
    const compiled = compileExpression("dyn(claims.l).exists(x, x == 5.0) || true", claimsSubject);
    expect(compiled.evaluate(rootOf({ l: [1, 2] }), 100)).toBe(true);
    expect(() => compiled.evaluate(rootOf({ l: Array(1_000).fill(1) }), 100)).toThrow(BudgetExceeded);
  });

  it.each([
    ["length", `claims.sub == "${"a".repeat(20_000)}"`],
    ["number of nodes", Array(3_000).fill("true").join("&&")],
    ["depth", `${"(".repeat(500)}true${")".repeat(500)}`],
  ])("are bounded in %s", (_, text) => {
    expect(() => compileExpression(text, claimsSubject)).toThrow();
  });

  it("say which claims they name", () => {
    const fieldsOf = (text: string) => compileExpression(text, claimsSubject).fields;
    expect(fieldsOf('has(claims.a) ? claims.b.c : claims.?d.orValue("") + string(claims["e"])')).toEqual(
      new Set(["a", "b", "d", "e"]),
    );
    expect(fieldsOf("dyn(claims).a")).toBeUndefined();
    expect(fieldsOf("claims[claims.a]")).toBeUndefined();
  });
});
