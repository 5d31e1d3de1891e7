/**
 * Shared access signatures: `SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={key name}`, the
 * signature being HMAC-SHA256 over the resource exactly as transmitted, a line feed, and the expiry.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { withoutTrailingSlashes } from "../runtime/trailing-slashes";

const scheme = "SharedAccessSignature";

export interface SasToken {
  /** The resource as it was signed: never decoded and encoded again, since producers differ in case and port. */
  readonly rawResource: string;
  readonly signature: string;
  readonly expiresAtMs: number;
  readonly rawExpiry: string;
  readonly keyName: string;
}

export interface SasTokenRequest {
  readonly relay: URL;
  readonly entity: string;
  readonly keyName: string;
  readonly key: string;
  readonly lifetimeMs: number;
  readonly nowMs?: number;
}

/** A token for one entity; its resource is `http://host/entity`, lower-case and without a port. */
export function createSasToken(request: SasTokenRequest): string {
  const resource = encodeURIComponent(`http://${request.relay.hostname}/${request.entity}`.toLowerCase());
  const expiry = String(Math.ceil(((request.nowMs ?? Date.now()) + request.lifetimeMs) / 1_000));
  const signature = sign(resource, expiry, request.key);
  const fields = [
    `sr=${resource}`,
    `sig=${encodeURIComponent(signature)}`,
    `se=${expiry}`,
    `skn=${encodeURIComponent(request.keyName)}`,
  ];
  return `${scheme} ${fields.join("&")}`;
}

/** Whether a credential is a shared access signature, by its scheme word; anything else is taken for a JWT. */
export const isSasToken = (authorization: string): boolean =>
  authorization.slice(0, scheme.length + 1).toLowerCase() === `${scheme.toLowerCase()} `;

/** Splits a token into its fields, in any order. Undefined when one is missing, repeated or malformed. */
export function parseSasToken(authorization: string): SasToken | undefined {
  if (!isSasToken(authorization)) return undefined;
  const fields = new Map<string, string>();
  for (const pair of authorization.slice(scheme.length + 1).split("&")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (equals === -1 || fields.has(name)) return undefined;
    fields.set(name, pair.slice(equals + 1).trim());
  }
  const [rawResource, signature, rawExpiry, keyName] = ["sr", "sig", "se", "skn"].map((name) =>
    fields.get(name),
  );
  if (!rawResource || !signature || !rawExpiry || !keyName) return undefined;
  if (!/^\d{1,12}$/.test(rawExpiry)) return undefined;
  try {
    return {
      rawResource,
      signature: decodeURIComponent(signature),
      rawExpiry,
      expiresAtMs: Number(rawExpiry) * 1_000,
      keyName: decodeURIComponent(keyName),
    };
  } catch {
    return undefined;
  }
}

/** Whether `key` signed the token, compared in constant time. Says nothing of its expiry or resource. */
export function isSignedBy(token: SasToken, key: string): boolean {
  const expected = Buffer.from(sign(token.rawResource, token.rawExpiry, key));
  const presented = Buffer.from(token.signature);
  return expected.length === presented.length && timingSafeEqual(expected, presented);
}

/**
 * Whether the token's resource covers `path` on one of `hosts`: scheme, port, case, a `$hc/` and slashes at the end
 * do not matter, an empty path covers the whole namespace, any other must end at a segment of `path`.
 */
export function coversPath(token: SasToken, hosts: readonly string[], path: string): boolean {
  const resource = readResource(token.rawResource);
  if (resource === undefined || !hosts.some((host) => host.toLowerCase() === resource.host)) return false;
  const covered = resource.path;
  const wanted = path.toLowerCase();
  return covered === "" || wanted === covered || wanted.startsWith(`${covered}/`);
}

/** Host without port, and path without `$hc/` and slashes at the end, both lower-case. */
function readResource(raw: string): { host: string; path: string } | undefined {
  try {
    const resource = decodeURIComponent(raw);
    const url = new URL(resource.includes("://") ? resource : `http://${resource}`);
    const path = decodeURIComponent(url.pathname).replace(/^\/(\$hc\/)?/i, "");
    return { host: url.hostname.toLowerCase(), path: withoutTrailingSlashes(path).toLowerCase() };
  } catch {
    return undefined;
  }
}

/** The key counts as text: its UTF-8 bytes, not what they would be if decoded from base64. */
function sign(resource: string, expiry: string, key: string): string {
  return createHmac("sha256", Buffer.from(key, "utf8")).update(`${resource}\n${expiry}`).digest("base64");
}
