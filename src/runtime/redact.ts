/**
 * The only place that knows what a secret looks like. Everything that is logged passes through here, so that a
 * token quoted in somebody else's error message does not reach a log either.
 */
const secretPatterns: readonly RegExp[] = [
  // A JWT: three base64url parts, the first of which begins a JSON object.
  /eyJ[\w-]{8,}\.[\w-]{2,}\.[\w-]*/g,
  /(?<=SharedAccessSignature\s).+?(?=["'\s]|$)/gi,
  /(?<=[?&](?:sb-hc-token|access_token|sb-hc-key)=)[^&\s"']+/gi,
  /(?<=\bBearer\s)[\w.~+/-]{8,}=*/gi,
  /(?<=base64url\.bearer\.authorization\.k8s\.io\.)[\w-]+/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/g,
];

const secretNames =
  /^(authorization|token|secret|key|password|credential|cookie|.*(Token|Secret|Password))$/i;

export function redact(text: string): string {
  return secretPatterns.reduce((kept, pattern) => kept.replace(pattern, "[redacted]"), text);
}

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
