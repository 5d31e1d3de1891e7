/** How the text of an input becomes a value. Each throws an Error whose message follows the input's name. */
import { X509Certificate } from "node:crypto";
import { clouds } from "../arc/cloud";
import { parseDuration } from "../runtime/duration";
import { plainText } from "./plain-text";

/** What `relay` and Azure Relay can address; `/` makes a hierarchy. */
const clusterNamePattern = /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(\/[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)*$/;
const maxClusterNameCharacters = 260;
/** RFC 1123, as Kubernetes asks for it. */
const namespacePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const [leastTimeoutMs, mostTimeoutMs] = [1_000, 3_600_000];

const quote = (text: string): string => `"${plainText(text).slice(0, 200)}"`;

export function parseClusterName(text: string): string {
  if (text.length <= maxClusterNameCharacters && clusterNamePattern.test(text)) return text;
  throw new Error(`is ${quote(text)}, not a name such as plant-7 or emea/plant-7`);
}

/** An address that names a host and nothing else; TLS, except on loopback. */
export function parseOrigin(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = url !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  const isAllowed = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback);
  // Path, query, fragment, user: none of them would be used, so none may seem to be.
  if (url === undefined || !isAllowed || url.href !== `${url.origin}/`) {
    throw new Error(`is ${quote(text)}, not an https:// address without path, query or user`);
  }
  return url;
}

export function parseCertificates(text: string): string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    throw new Error("holds a certificate that cannot be read");
  }
  if (blocks.length === 0) throw new Error("holds no PEM certificate");
  return text;
}

export function parseAudience(text: string): string {
  // A token for this audience, or a national cloud's form of it, is itself a credential, at Microsoft Entra.
  if (!/^api:\/\/azureadtokenexchange/i.test(text)) return text;
  throw new Error(`is ${text}, whose tokens must be shown to Microsoft Entra alone`);
}

/** RFC 6750 §2.1. What was given instead is not quoted: it may be a secret of another kind. */
export function parseToken(text: string): string {
  if (/^[\w.~+/-]+=*$/.test(text.trim())) return text.trim();
  throw new Error("is not a bearer token");
}

/** The client credentials grant knows no other scope than a resource's default. */
export function parseScope(text: string): string {
  if (/^[\x21-\x7e]+\/\.default$/.test(text)) return text;
  throw new Error(`is ${quote(text)}, not a scope such as api://cluster-connect-plant-7/.default`);
}

/** Of a subscription. */
export function parseGuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new Error(`is ${quote(text)}, not an id such as 00000000-0000-0000-0000-000000000000`);
}

export function parseResourceGroup(text: string): string {
  if (/^[\p{L}\p{N}_().-]{1,90}$/u.test(text) && !text.endsWith(".")) return text;
  throw new Error(`is ${quote(text)}, not the name of a resource group`);
}

/** A cloud's name, or the address of its ARM endpoint. */
export function parseCloud(text: string): string {
  if (Object.hasOwn(clouds, text)) return text;
  if (URL.canParse(text)) return parseOrigin(text).origin;
  throw new Error(
    `is ${quote(text)}, neither one of ${Object.keys(clouds).join(", ")} nor an https:// address`,
  );
}

export function parseDigest(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text;
  throw new Error(`is ${quote(text)}, not sha256: and 64 hexadecimal digits`);
}

export function parseNamespace(text: string): string {
  if (namespacePattern.test(text)) return text;
  throw new Error(`is ${quote(text)}, not the name of a Kubernetes namespace`);
}

export function parseTimeout(text: string): number {
  const ms = readDuration(text);
  if (ms >= leastTimeoutMs && ms <= mostTimeoutMs) return ms;
  throw new Error(`is ${quote(text)}, not between 1s and 1h`);
}

function readDuration(text: string): number {
  try {
    return parseDuration(text, "timeout");
  } catch (error) {
    throw new Error(`is ${quote(text)}, not a duration such as 90s or 2m`, { cause: error });
  }
}

export function parseBoolean(text: string): boolean {
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  throw new Error(`is ${quote(text)}, neither true nor false`);
}

export const logLevels = ["debug", "info", "warn", "error"] as const;

export function parseLogLevel(text: string): (typeof logLevels)[number] {
  const level = logLevels.find((known) => known === text);
  if (level !== undefined) return level;
  throw new Error(`is ${quote(text)}, not one of ${logLevels.join(", ")}`);
}
