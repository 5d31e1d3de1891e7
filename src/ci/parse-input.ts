/** How the text of an input becomes a value. Each throws an Error that names the input and what is wrong with it. */
import { X509Certificate } from "node:crypto";
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
  throw new Error(`cluster-name is ${quote(text)}, not a name such as plant-7 or emea/plant-7`);
}

export function parseRelayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = url !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  const isAllowed = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback);
  // Path, query, fragment, user: none of them would be used, so none may seem to be.
  if (url === undefined || !isAllowed || url.href !== `${url.origin}/`) {
    throw new Error(`relay-url is ${quote(text)}, not an https:// address without path, query or user`);
  }
  return url;
}

export function parseCertificates(text: string): string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    throw new Error("relay-ca holds a certificate that cannot be read");
  }
  if (blocks.length === 0) throw new Error("relay-ca holds no PEM certificate");
  return text;
}

export const parseAudience = (name: string) => (text: string) => {
  // A token for this audience is itself a credential, at Microsoft Entra.
  if (text.toLowerCase() !== "api://azureadtokenexchange") return text;
  throw new Error(`${name} is ${text}, whose tokens must be shown to Microsoft Entra alone`);
};

export function parseNamespace(text: string): string {
  if (namespacePattern.test(text)) return text;
  throw new Error(`namespace is ${quote(text)}, not the name of a Kubernetes namespace`);
}

export function parseTimeout(text: string): number {
  const ms = parseDuration(plainText(text), "timeout");
  if (ms >= leastTimeoutMs && ms <= mostTimeoutMs) return ms;
  throw new Error(`timeout is ${quote(text)}, not between 1s and 1h`);
}

export const parseBoolean = (name: string) => (text: string) => {
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  throw new Error(`${name} is ${quote(text)}, neither true nor false`);
};

export const logLevels = ["debug", "info", "warn", "error"] as const;

export function parseLogLevel(text: string): (typeof logLevels)[number] {
  const level = logLevels.find((known) => known === text);
  if (level !== undefined) return level;
  throw new Error(`log-level is ${quote(text)}, not one of ${logLevels.join(", ")}`);
}
