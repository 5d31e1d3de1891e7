import { ClusterConnectError } from "../runtime/errors";
import type { Identity } from "./identity";
import type { ClaimMappings } from "./issuer-settings";

type Claims = Readonly<Record<string, unknown>>;

export interface IdentityPolicy {
  /** `system:` users and groups are parts of the cluster; a token may become one only when this is set. */
  readonly allowSystemNames: boolean;
  readonly maxGroups: number;
  /** UTF-8 bytes of a user name, group or uid. */
  readonly maxNameBytes: number;
}

export const defaultIdentityPolicy: IdentityPolicy = {
  allowSystemNames: false,
  maxGroups: 200,
  maxNameBytes: 4_096,
};

/**
 * The Kubernetes identity that verified claims map to. Throws rather than guess: whatever is missing, reserved or
 * unprintable is a refusal, because an identity that comes out empty would run as the proxy itself.
 */
export function mapIdentity(
  claims: Claims,
  mappings: ClaimMappings,
  policy: IdentityPolicy = defaultIdentityPolicy,
): Identity {
  refuseGroupsOverage(claims, mappings);
  const username = usernameOf(claims, mappings.username);
  const groups = mappings.groups === undefined ? [] : groupsOf(claims, mappings.groups);
  const uid = mappings.uid === undefined ? undefined : uidOf(claims, mappings.uid.claim);
  if (groups.length > policy.maxGroups) {
    throw new ClusterConnectError(
      "ERR_IDENTITY_TOO_MANY_GROUPS",
      `${String(groups.length)}, at most ${String(policy.maxGroups)}`,
    );
  }
  checkName("user name", username, policy);
  for (const group of groups) checkName("group", group, policy);
  if (uid !== undefined) checkPrintable("uid", uid, policy);
  return { username, groups, ...(uid === undefined ? {} : { uid }), extra: {} };
}

function usernameOf(claims: Claims, { claim, prefix }: ClaimMappings["username"]): string {
  const value = claims[claim];
  // The prefix does not make an empty name a name: the apiserver would accept "github:" here.
  if (typeof value !== "string" || value.trim() === "") {
    throw new ClusterConnectError("ERR_TOKEN_CLAIM", `${claim} must be a non-empty string`);
  }
  // As the kube-apiserver has it: an address that the issuer itself calls unverified is nobody's name.
  if (claim === "email" && claims.email_verified !== undefined && claims.email_verified !== true) {
    throw new ClusterConnectError("ERR_TOKEN_CLAIM", "email_verified must be true");
  }
  return prefix + value;
}

function groupsOf(claims: Claims, { claim, prefix }: ClaimMappings["username"]): string[] {
  const value = claims[claim] ?? [];
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
function uidOf(claims: Claims, claim: string): string | undefined {
  const value = claims[claim];
  if (value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw new ClusterConnectError("ERR_TOKEN_CLAIM", `${claim} must be a string`);
}

/** Entra's markers for "too many groups to list" (`_claim_names` of OpenID Connect Core §5.6.2, `hasgroups`). */
function refuseGroupsOverage(claims: Claims, mappings: ClaimMappings): void {
  if (mappings.groups === undefined) return;
  const { claim } = mappings.groups;
  if (Object.hasOwn(claims, claim)) return;
  const elsewhere = claims._claim_names;
  const isElsewhere = typeof elsewhere === "object" && elsewhere !== null && Object.hasOwn(elsewhere, claim);
  const hasGroups = claims.hasgroups === true || claims.hasgroups === "true";
  if (isElsewhere || (claim === "groups" && hasGroups)) {
    throw new ClusterConnectError("ERR_IDENTITY_GROUPS_OVERAGE", `claim ${claim}`);
  }
}

function checkName(what: string, name: string, policy: IdentityPolicy): void {
  checkPrintable(what, name, policy);
  if (!policy.allowSystemNames && name.startsWith("system:")) {
    throw new ClusterConnectError("ERR_IDENTITY_RESERVED", `${what} ${JSON.stringify(name)}`);
  }
}

function checkPrintable(what: string, value: string, policy: IdentityPolicy): void {
  // eslint's no-control-regex is right about typing mistakes; \p{Cc} says what is meant. A lone surrogate has no
  // UTF-8 form: it would arrive as another character. Edge blanks would be trimmed off the header on the way.
  if (/\p{Cc}|\p{Cs}/u.test(value) || value !== value.trim()) {
    throw new ClusterConnectError("ERR_IDENTITY_INVALID", `${what} holds control characters or edge blanks`);
  }
  if (Buffer.byteLength(value) > policy.maxNameBytes) {
    throw new ClusterConnectError(
      "ERR_IDENTITY_INVALID",
      `${what} is longer than ${String(policy.maxNameBytes)} bytes`,
    );
  }
}
