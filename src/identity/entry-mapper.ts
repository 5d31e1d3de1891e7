/** From verified claims to an identity, by one entry of `jwt[]`: the kube-apiserver's order, and then our own bounds. */
import { ClusterConnectError } from "../runtime/errors";
import { claimsSubject, compileExpression, userSubject, type Expression } from "./cel/expression";
import { rootOf, type Value } from "./cel/value";
import { ClaimSource, evaluateOver, textsOf, type Claims } from "./claim-source";
import type { ClaimMappings, IssuerSettings } from "./configuration/schema";
import { refuseGroupsOverage } from "./groups-overage";
import type { Identity } from "./identity";
import { checkIdentity } from "./identity-checks";
import type { IdentityPolicy } from "./identity-policy";

export interface EntryMapper {
  /**
   * Applies mappings and rules. Undefined where the entry has no mappings. Throws rather than guess: an identity that
   * came out empty would run as the proxy itself.
   */
  map(claims: Claims): Identity | undefined;
}

export interface MapperOptions {
  readonly policy: IdentityPolicy;
  readonly maxExpressionCost: number;
}

interface Rule {
  readonly expression: Expression;
  readonly message: string;
}

/** The entry has been validated: its expressions compile. */
export function createEntryMapper(entry: IssuerSettings, options: MapperOptions): EntryMapper {
  const cost = options.maxExpressionCost;
  const claimRules = compileRules(entry.claimValidationRules, claimsSubject);
  const userRules = compileRules(entry.userValidationRules, userSubject);
  const required = entry.claimValidationRules.filter(({ claim }) => claim !== "");
  const mapping = entry.claimMappings === undefined ? undefined : new Mapping(entry.claimMappings);
  const expressions = [...claimRules.map(({ expression }) => expression), ...(mapping?.expressions ?? [])];
  const groupsClaim = entry.claimMappings?.groups.claim ?? "";
  return {
    map(claims) {
      const source = new ClaimSource(claims, cost);
      refuseGroupsOverage(claims, groupsClaim, expressions);
      const identity = mapping?.identityOf(source);
      for (const { claim, requiredValue } of required) requireClaim(source, claim, requiredValue);
      for (const rule of claimRules) demand(source.evaluate(rule.expression), rule, "ERR_TOKEN_RULE");
      if (identity === undefined) return undefined;
      const user = userRules.length === 0 ? undefined : userRoot(identity, claims);
      for (const rule of userRules) {
        if (user !== undefined) demand(evaluateOver(rule.expression, user, cost), rule, "ERR_IDENTITY_RULE");
      }
      checkIdentity(identity, options.policy);
      return identity;
    },
  };
}

const compileRules = (
  rules: readonly { readonly expression: string; readonly message: string }[],
  subject: typeof claimsSubject,
): Rule[] =>
  rules
    .filter(({ expression }) => expression !== "")
    .map(({ expression, message }) => ({
      expression: compileExpression(expression, subject, true),
      message,
    }));

function requireClaim(source: ClaimSource, claim: string, value: string): void {
  if (source.has(claim) && source.text(claim) === value) return;
  throw new ClusterConnectError("ERR_TOKEN_RULE", `claim ${claim} must be ${JSON.stringify(value)}`);
}

function demand(
  value: Value,
  { expression, message }: Rule,
  code: "ERR_TOKEN_RULE" | "ERR_IDENTITY_RULE",
): void {
  if (value !== true) throw new ClusterConnectError(code, message === "" ? expression.text : message);
}

/** `user` as the kube-apiserver has it, which knows a token by its `jti`. */
function userRoot({ username, uid, groups, extra }: Identity, { jti }: Claims) {
  const credential = typeof jti === "string" && jti !== "" ? { [credentialIdKey]: [`JTI=${jti}`] } : {};
  return rootOf({ username, uid: uid ?? "", groups, extra: { ...credential, ...extra } });
}

const credentialIdKey = "authentication.kubernetes.io/credential-id";

class Mapping {
  readonly expressions: readonly Expression[];
  readonly #username: Expression | undefined;
  readonly #groups: Expression | undefined;
  readonly #uid: Expression | undefined;
  readonly #extra: readonly { readonly key: string; readonly expression: Expression }[];

  constructor(private readonly settings: ClaimMappings) {
    const { username, groups, uid, extra } = settings;
    const compile = (text: string) => (text === "" ? undefined : compileExpression(text, claimsSubject));
    this.#username = compile(username.expression);
    this.#groups = compile(groups.expression);
    this.#uid = compile(uid.expression);
    this.#extra = extra.map(({ key, valueExpression }) => ({
      key,
      expression: compileExpression(valueExpression, claimsSubject),
    }));
    this.expressions = [
      ...[this.#username, this.#groups, this.#uid].filter((expression) => expression !== undefined),
      ...this.#extra.map(({ expression }) => expression),
    ];
  }

  identityOf(source: ClaimSource): Identity {
    const username = this.#usernameOf(source);
    const groups = this.#groupsOf(source);
    const uid = this.#uidOf(source);
    const extra = this.#extra
      .map(({ key, expression }) => [key, textsOf(source.evaluate(expression), expression)] as const)
      .filter(([, values]) => values.length > 0);
    return { username, groups, ...(uid === "" ? {} : { uid }), extra: Object.fromEntries(extra) };
  }

  #usernameOf(source: ClaimSource): string {
    const { claim, prefix = "" } = this.settings.username;
    const name = this.#username === undefined ? source.text(claim) : textOf(source, this.#username);
    // The prefix does not make an empty name a name: the apiserver would accept "github:" here.
    if (name.trim() === "")
      throw new ClusterConnectError("ERR_TOKEN_CLAIM", "the user name must not be empty");
    if (this.#username !== undefined) return name;
    // As the kube-apiserver has it: an address that the issuer itself calls unverified is nobody's name.
    if (claim === "email" && source.has("email_verified") && source.claims.email_verified !== true) {
      throw new ClusterConnectError("ERR_TOKEN_CLAIM", "email_verified must be true");
    }
    return prefix + name;
  }

  #groupsOf(source: ClaimSource): string[] {
    const { claim, prefix = "" } = this.settings.groups;
    if (this.#groups !== undefined) return textsOf(source.evaluate(this.#groups), this.#groups);
    if (claim === "" || !source.has(claim)) return [];
    const value = source.claims[claim] ?? [];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list
      .map((group) => {
        if (typeof group === "string") return group;
        throw new ClusterConnectError("ERR_TOKEN_CLAIM", `${claim} must be a string or a list of strings`);
      })
      .filter((group) => group !== "")
      .map((group) => prefix + group);
  }

  /** As at the kube-apiserver: a uid that is asked for must be there, and may be empty. */
  #uidOf(source: ClaimSource): string {
    const { claim } = this.settings.uid;
    if (this.#uid !== undefined) return textOf(source, this.#uid);
    return claim === "" ? "" : source.text(claim);
  }
}

function textOf(source: ClaimSource, expression: Expression): string {
  const value = source.evaluate(expression);
  if (typeof value === "string") return value;
  throw new ClusterConnectError("ERR_TOKEN_EXPRESSION", `${expression.text}: must give a string`);
}
