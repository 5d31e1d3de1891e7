import { ClusterConnectError } from "../runtime/errors";
import type { Expression } from "./cel/expression";
import type { Claims } from "./claim-source";

/**
 * Refuses a token that says its groups are elsewhere: `_claim_names` (OpenID Connect Core §5.6.2, which Microsoft
 * Entra uses above 200 groups) and Entra's `hasgroups`. The claim is absent then, and an absent one would be taken for
 * no groups, by a mapping as by an expression that has a default for it.
 */
export function refuseGroupsOverage(
  claims: Claims,
  groupsClaim: string,
  expressions: readonly Expression[],
): void {
  const isWanted = (claim: string) =>
    claim === groupsClaim || expressions.some(({ fields }) => fields === undefined || fields.has(claim));
  const missing = elsewhere(claims).find((claim) => !Object.hasOwn(claims, claim) && isWanted(claim));
  if (missing === undefined) return;
  throw new ClusterConnectError("ERR_IDENTITY_GROUPS_OVERAGE", `claim ${missing}`);
}

function elsewhere(claims: Claims): string[] {
  const names = claims._claim_names;
  const listed = typeof names === "object" && names !== null ? Object.keys(names) : [];
  const hasGroups = claims.hasgroups === true || claims.hasgroups === "true";
  return hasGroups ? [...listed, "groups"] : listed;
}
