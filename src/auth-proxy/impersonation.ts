/** The only place where an Identity becomes headers. */
import type { Identity } from "../identity/identity";
import { ClusterConnectError } from "../runtime/errors";
import type { HeaderLines } from "./header-lines";

/**
 * Impersonation headers as the kube-apiserver reads them. Throws for an identity without a name: the apiserver
 * takes an empty Impersonate-User for none, and runs the request as the auth proxy's own service account.
 */
export function impersonationHeaders(identity: Identity): HeaderLines {
  if (typeof identity.username !== "string" || identity.username.trim() === "") {
    throw new ClusterConnectError("ERR_AUTH_PROXY_NO_IDENTITY");
  }
  const extras = Object.entries(identity.extra).flatMap(([key, values]) =>
    values.map((value) => [`Impersonate-Extra-${encodeExtraKey(key)}`, encodeValue(value)] as const),
  );
  return [
    ["Impersonate-User", encodeValue(identity.username)],
    // One line a group: the apiserver does not split at commas, and neither may anything before it join them.
    ...identity.groups.map((group) => ["Impersonate-Group", encodeValue(group)] as const),
    ...(identity.uid === undefined ? [] : [["Impersonate-Uid", encodeValue(identity.uid)] as const]),
    ...extras,
  ];
}

/** Node writes header values as latin1; the apiserver reads bytes as UTF-8. */
function encodeValue(value: string): string {
  if (/\p{Cc}|\p{Cs}/u.test(value)) {
    throw new ClusterConnectError("ERR_IDENTITY_INVALID", "an identity holds a control character");
  }
  return Buffer.from(value, "utf8").toString("latin1");
}

/** client-go's headerKeyEscape: every byte that is no RFC 9110 token character, and `%`, as `%XX`. */
function encodeExtraKey(key: string): string {
  return [...Buffer.from(key.toLowerCase(), "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[!#$&'*+.^_`|~0-9a-z-]/.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}
