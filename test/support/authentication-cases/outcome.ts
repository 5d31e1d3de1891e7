import type { Identity } from "../../../src/identity/identity";
import type { Outcome } from "./token-case";

/** Written alike wherever it comes from: without what is empty, and without what every user of a cluster has. */
export function normalized(outcome: Outcome): Outcome {
  if (outcome === "refused") return outcome;
  const { username, groups = [], uid = "", extra = {} } = outcome;
  const own = groups.filter((group) => group !== "system:authenticated");
  const extras = Object.entries(extra).filter(
    ([key]) => key !== "authentication.kubernetes.io/credential-id",
  );
  return {
    username,
    ...(own.length === 0 ? {} : { groups: own }),
    ...(uid === "" ? {} : { uid }),
    ...(extras.length === 0 ? {} : { extra: Object.fromEntries(extras) }),
  };
}

export const outcomeOf = (identity: Identity | undefined): Outcome =>
  identity === undefined ? "refused" : normalized(identity);
