/**
 * A token, the configuration it is shown to, and what a kube-apiserver (1.36) makes of it. Where this project makes
 * something else of it, `here` says what, and `differs` why; docs/authentication.md lists the reasons.
 */
import type { ConfigurationName } from "./configurations";
import type { TokenDescription } from "./mint";

export interface User {
  readonly username: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}
export type Outcome = User | "refused";

export interface TokenCase extends TokenDescription {
  readonly name: string;
  readonly to: ConfigurationName;
  readonly apiserver: Outcome;
  readonly here?: Outcome;
  readonly differs?: Difference;
}

export const differences = {
  numericDate: "NumericDate is a number (RFC 7519 §2); a text is refused",
  listOfTexts: "what split() and findAll() give is a list of strings; the apiserver does not take it for one",
  emptyName: "an empty user name would run as the proxy itself",
  emptyGroup: "an empty group is nobody's; with a prefix before it, it is a group that nobody meant",
  systemName: "names of the cluster's own are refused unless the configuration names them",
  unprintable: "control characters and blanks at the ends do not survive the way in a header",
  tooManyGroups: "each group is a header and a check at the apiserver",
  nullInList: "null is no text",
} as const;
export type Difference = keyof typeof differences;

export const me: User = { username: "me" };
/** Shown to the configuration `plain`; refused unless said otherwise. */
export const plain = (
  name: string,
  description: TokenDescription,
  apiserver: Outcome = "refused",
): TokenCase => ({
  name,
  to: "plain",
  ...description,
  apiserver,
});
/** Differs from a good token in these claims. */
export const withClaims = (
  to: ConfigurationName,
  name: string,
  claims: Readonly<Record<string, unknown>>,
  apiserver: Outcome,
  difference: { readonly here?: Outcome; readonly differs?: Difference } = {},
): TokenCase => ({ name, to, claims, apiserver, ...difference });

export const refusedFor = (differs: Difference) => ({ here: "refused", differs }) as const;
