/**
 * The only place that knows what a secret looks like. Everything that is logged passes through here, so that a
 * token quoted in somebody else's error message does not reach a log either.
 */
const secretPatterns: readonly RegExp[] = [
  /(?<=SharedAccessSignature\s).+?(?=["'\s]|$)/gi,
  /(?<=[?&](?:sb-hc-token|access_token|sb-hc-key)=)[^&\s"']+/gi,
  /(?<=\bBearer\s)[\w.~+/-]{8,}=*/gi,
  /(?<=base64url\.bearer\.authorization\.k8s\.io\.)[\w-]+/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----BEGIN)[\s\S])+?-----END [A-Z ]*PRIVATE KEY-----/g,
];

const secretNames =
  /^(authorization|token|secret|key|password|credential|cookie|.*(Token|Secret|Password))$/i;

const hidden = "[redacted]";

export function redact(text: string): string {
  const withoutOthers = secretPatterns.reduce((kept, pattern) => kept.replace(pattern, hidden), text);
  // Not one pattern for a whole token: tried anew at each "eyJ" of a hostile path it takes seconds.
  return withoutOthers.replace(/[\w.-]{14,}/g, withoutTokens);
}

/** Hides each JWT among parts joined by dots: three of base64url, the first of which begins a JSON object. */
function withoutTokens(word: string): string {
  const parts = word.split(".");
  const shown: string[] = [];
  for (let at = 0; at < parts.length; at += 1) {
    const [head = "", payload = ""] = parts.slice(at, at + 2);
    const start = head.indexOf("eyJ");
    if (start >= 0 && head.length - start > 10 && payload.length > 1 && at + 2 < parts.length) {
      shown.push(head.slice(0, start) + hidden);
      at += 2;
    } else {
      shown.push(isPieceOfToken(head) ? hidden : head);
    }
  }
  return shown.join(".");
}

/** ES256 has the shortest signature, of 86 characters. A digest in hexadecimal has one case only. */
const isPieceOfToken = (part: string) => part.length >= 86 && /[A-Z]/.test(part) && /[a-z]/.test(part);

/** A copy of a log record with every secret-looking value replaced; nesting is followed four levels deep. */
export function redactFields(fields: Readonly<Record<string, unknown>>, depth = 4): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretNames.test(name) && typeof value === "string" ? "[redacted]" : redactValue(value, depth),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redact(value);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Error) return redact(value.message);
  if (depth === 0) return "[deep]";
  if (Array.isArray(value)) return value.map((element) => redactValue(element, depth - 1));
  return redactFields(value as Record<string, unknown>, depth - 1);
}
