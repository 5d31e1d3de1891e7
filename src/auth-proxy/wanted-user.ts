/** Whom a caller wants to be: `--as`, `--as-group`, `--as-uid`, `--as-user-extra`, as the apiserver reads them. */
import type { Identity } from "../identity/identity";
import { ClusterConnectError } from "../runtime/errors";
import { elementsOf, valuesOf, type HeaderLines } from "./header-lines";

const extraPrefix = "impersonate-extra-";
const malformed = (detail: string) => new ClusterConnectError("ERR_AUTH_PROXY_MALFORMED_REQUEST", detail);

export const isImpersonationHeader = (lowerName: string) => lowerName.startsWith("impersonate-");

/** Whether the apiserver knows a header of this lower-case name. */
export const isKnownImpersonationHeader = (lowerName: string) =>
  /^impersonate-(user|group|uid|extra-.+)$/.test(lowerName);

/**
 * Undefined when the request impersonates nobody. Throws ERR_AUTH_PROXY_MALFORMED_REQUEST where the apiserver would
 * pick one of two values, read a key in two ways, or take the request for one that impersonates nobody.
 */
export function wantedUser(lines: HeaderLines): Identity | undefined {
  const given = lines.filter(([name]) => isImpersonationHeader(name.toLowerCase()));
  if (given.length === 0) return undefined;
  const nominated = elementsOf(lines, "connection").some((name) => isImpersonationHeader(name.toLowerCase()));
  if (nominated) throw malformed("Connection names a header that says who the request is for");
  const username = single(lines, "impersonate-user");
  if (username === undefined) throw malformed("impersonation of a group, uid or extra without a user");
  const uid = single(lines, "impersonate-uid");
  const groups = valuesOf(lines, "impersonate-group").map((value) => textOf("Impersonate-Group", value));
  return { username, groups, ...(uid === undefined ? {} : { uid }), extra: extrasOf(given) };
}

function single(lines: HeaderLines, name: string): string | undefined {
  const values = valuesOf(lines, name);
  if (values.length > 1) throw malformed(`more than one ${name}`);
  const [value] = values;
  return value === undefined ? undefined : textOf(name, value);
}

function extrasOf(lines: HeaderLines): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    if (!lower.startsWith(extraPrefix)) continue;
    const key = keyOf(lower.slice(extraPrefix.length));
    extra.set(key, [...(extra.get(key) ?? []), textOf(name, value)]);
  }
  return Object.fromEntries(extra);
}

/** client-go's escaping. The apiserver keeps an escape that is none as it is: nobody who means one key sends that. */
function keyOf(escaped: string): string {
  try {
    const key = decodeURIComponent(escaped);
    if (/^[\x21-\x7e]+$/.test(key) && key === key.toLowerCase()) return key;
  } catch {
    // Said below.
  }
  throw malformed("the key of an extra is not one that can be meant");
}

/** Header values are bytes, which Node gives as latin1 and the apiserver reads as UTF-8. */
function textOf(name: string, value: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(value, "latin1"),
    );
    if (text.trim() !== "") return text;
  } catch {
    throw malformed(`${name} is not UTF-8`);
  }
  throw malformed(`${name} is empty`);
}
