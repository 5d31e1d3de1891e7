/** Which verified tokens may listen, and which may connect: exact matches against a cluster's rules. */
import type { VerifiedToken } from "../identity/token-verifier";
import type { Right } from "./admission";
import type { ClientRule, ClusterSettings } from "./settings";

/** The claims by which a rule lets this token in; undefined if none does. */
export function matchingClaims(
  right: Right,
  token: VerifiedToken,
  cluster: ClusterSettings,
): Record<string, unknown> | undefined {
  if (right === "listen") {
    const isNamed = cluster.agents.serviceAccounts.some(
      ({ issuer, subject }) => issuer === token.issuer && subject === token.claims["sub"],
    );
    return isNamed ? pick(token, ["sub"]) : undefined;
  }
  const rule = cluster.clients.allow.find((candidate) => ruleMatches(candidate, token));
  return rule === undefined ? undefined : pick(token, Object.keys(rule.claims));
}

/** The token's values of every claim that a rule for its issuer looks at: what to compare when none matches. */
export function claimsThatDecide(
  right: Right,
  token: VerifiedToken,
  cluster: ClusterSettings,
): Record<string, unknown> {
  if (right === "listen") return pick(token, ["sub"]);
  const rules = cluster.clients.allow.filter(({ issuer }) => issuer === token.issuer);
  return pick(token, [...new Set(rules.flatMap(({ claims }) => Object.keys(claims)))]);
}

/** Every claim of the rule is in the token with that very value: no prefix, no pattern, no conversion of kinds. */
function ruleMatches(rule: ClientRule, token: VerifiedToken): boolean {
  if (rule.issuer !== token.issuer) return false;
  return Object.entries(rule.claims).every(([name, wanted]) => {
    if (!Object.hasOwn(token.claims, name)) return false;
    const accepted: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    return accepted.includes(token.claims[name]);
  });
}

function pick(token: VerifiedToken, names: readonly string[]): Record<string, unknown> {
  const held = names.filter((name) => Object.hasOwn(token.claims, name));
  return Object.fromEntries(held.map((name) => [name, token.claims[name]]));
}
