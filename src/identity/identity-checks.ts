import { ClusterConnectError } from "../runtime/errors";
import type { Identity } from "./identity";
import type { IdentityPolicy } from "./identity-policy";

/** Throws unless the identity may be shown to the apiserver: whatever is reserved, unprintable or too much is refused. */
export function checkIdentity(identity: Identity, policy: IdentityPolicy): void {
  const { username, groups, uid, extra } = identity;
  checkCount("groups", groups.length, policy.maxGroups, "ERR_IDENTITY_TOO_MANY_GROUPS");
  const values = Object.values(extra).flat();
  checkCount("values of extras", values.length, policy.maxExtraValues, "ERR_IDENTITY_INVALID");
  checkName("user name", username, policy);
  for (const group of groups) checkName("group", group, policy);
  for (const value of uid === undefined ? values : [uid, ...values])
    checkPrintable("uid or extra", value, policy);
}

function checkCount(
  what: string,
  count: number,
  most: number,
  code: "ERR_IDENTITY_TOO_MANY_GROUPS" | "ERR_IDENTITY_INVALID",
): void {
  if (count <= most) return;
  throw new ClusterConnectError(code, `${String(count)} ${what}, at most ${String(most)}`);
}

function checkName(what: string, name: string, policy: IdentityPolicy): void {
  checkPrintable(what, name, policy);
  if (name.startsWith("system:") && !isAllowedSystemName(name, policy.allowSystemNames)) {
    throw new ClusterConnectError("ERR_IDENTITY_RESERVED", `${what} ${JSON.stringify(name)}`);
  }
}

const isAllowedSystemName = (name: string, allowed: IdentityPolicy["allowSystemNames"]): boolean =>
  typeof allowed === "boolean"
    ? allowed
    : allowed.some(
        (named) => name === named || (named.endsWith(":*") && name.startsWith(named.slice(0, -1))),
      );

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
