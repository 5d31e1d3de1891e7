/** Which verified tokens may listen, and which may connect: a cluster's rules, in the order they are written. */
import {
  BudgetExceeded,
  claimsSubject,
  compileExpression,
  EvaluationError,
  type Expression,
} from "../identity/cel/expression";
import { rootOf } from "../identity/cel/value";
import { messageOf } from "../runtime/errors";
import type { Right } from "./admission";
import type { ClusterSettings } from "./settings";

type Claims = Readonly<Record<string, unknown>>;

/** What a rule looks at of a verified token. */
export interface TokenFacts {
  readonly issuer: string;
  readonly claims: Claims;
}

export interface RuleVerdict {
  /** Where the rule stands in the cluster's settings, such as `clients.allow[0]`. */
  readonly rule: string;
  /** Why it lets nobody in by this token; undefined when it does. */
  readonly refusal: string | undefined;
  /** The claims that it looked at, as the token has them. */
  readonly claims: Claims;
}

export class TokenRules {
  readonly #rules: Readonly<Record<Right, readonly Rule[]>>;

  /** The settings have been validated: expressions compile. `maxCost` bounds each evaluation. */
  constructor(cluster: ClusterSettings, maxCost: number) {
    const { agents, clients } = cluster;
    this.#rules = {
      listen: agents.serviceAccounts.map(
        ({ issuer, subject }, index) =>
          new Rule(`agents.serviceAccounts[${String(index)}]`, { issuer, claims: { sub: subject } }, maxCost),
      ),
      send: clients.allow.map((rule, index) => new Rule(`clients.allow[${String(index)}]`, rule, maxCost)),
    };
  }

  /** The first rule that lets this token in; undefined if none does. */
  match(right: Right, token: TokenFacts): RuleVerdict | undefined {
    for (const rule of this.#rules[right]) {
      const verdict = rule.judge(token);
      if (verdict.refusal === undefined) return verdict;
    }
    return undefined;
  }

  /** What each rule says, in their order. */
  explain(right: Right, token: TokenFacts): readonly RuleVerdict[] {
    return this.#rules[right].map((rule) => rule.judge(token));
  }

  /** The token's values of every claim that a rule for its issuer looks at: what to compare when none matches. */
  claimsThatDecide(right: Right, token: TokenFacts): Claims {
    const rules = this.#rules[right].filter(({ issuer }) => issuer === token.issuer);
    return pick(token.claims, [...new Set(rules.flatMap(({ fields }) => fields))]);
  }

  /** The same, and all of the claims where a rule may look at any: enough to judge the token by other rules later. */
  claimsToKeep(right: Right, token: TokenFacts): Claims {
    const mayLookAtAny = this.#rules[right].some((rule) => rule.issuer === token.issuer && rule.mayLookAtAny);
    return mayLookAtAny ? token.claims : this.claimsThatDecide(right, token);
  }
}

interface RuleSettings {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expression?: string | undefined;
}

class Rule {
  readonly issuer: string;
  /** Claims that are looked at, as far as they are named. */
  readonly fields: readonly string[];
  readonly mayLookAtAny: boolean;
  readonly #claims: Readonly<Record<string, unknown>>;
  readonly #expression: Expression | undefined;

  constructor(
    private readonly name: string,
    { issuer, claims, expression }: RuleSettings,
    private readonly maxCost: number,
  ) {
    this.issuer = issuer;
    this.#claims = claims;
    this.#expression =
      expression === undefined ? undefined : compileExpression(expression, claimsSubject, true);
    this.fields = [...new Set([...Object.keys(claims), ...(this.#expression?.fields ?? [])])];
    this.mayLookAtAny = this.#expression !== undefined && this.#expression.fields === undefined;
  }

  judge(token: TokenFacts): RuleVerdict {
    const isOurs = token.issuer === this.issuer;
    const refusal = isOurs
      ? (this.#refusalByClaims(token.claims) ?? this.#refusalByExpression(token.claims))
      : `it is for issuer ${this.issuer}`;
    return { rule: this.name, refusal, claims: isOurs ? pick(token.claims, this.fields) : {} };
  }

  /** Every claim is in the token with that very value: no prefix, no pattern, no conversion of kinds. */
  #refusalByClaims(claims: Claims): string | undefined {
    for (const [name, wanted] of Object.entries(this.#claims)) {
      const accepted: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
      const list = accepted.map((value) => JSON.stringify(value)).join(" or ");
      if (!Object.hasOwn(claims, name)) return `claim ${name} is missing, wanted ${list}`;
      const value = claims[name];
      if (!accepted.includes(value)) return `claim ${name} is ${JSON.stringify(value)}, wanted ${list}`;
    }
    return undefined;
  }

  /** What cannot be evaluated lets nobody in. */
  #refusalByExpression(claims: Claims): string | undefined {
    if (this.#expression === undefined) return undefined;
    try {
      const holds = this.#expression.evaluate(rootOf(claims), this.maxCost) === true;
      return holds ? undefined : "its expression is false";
    } catch (error) {
      if (!(error instanceof EvaluationError || error instanceof BudgetExceeded)) throw error;
      return `its expression gives nothing: ${messageOf(error)}`;
    }
  }
}

function pick(claims: Claims, names: readonly string[]): Claims {
  const held = names.filter((name) => Object.hasOwn(claims, name));
  return Object.fromEntries(held.map((name) => [name, claims[name]]));
}
