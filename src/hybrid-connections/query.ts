/**
 * The query of a Hybrid Connections address: parameters of the protocol, which begin with `sb-hc-`, among the
 * application's own, which pass through byte for byte.
 */
export interface ProtocolQuery {
  /** Value of a protocol parameter, form-decoded (`+` is a blank), by its lower-case name. */
  get(name: string): string | undefined;
  /** What is left for the application, without `?`; empty segments and order are kept. */
  readonly application: string;
}

/** Reads a raw query (without `?`). The first of a repeated parameter counts. Malformed escapes are kept as they are. */
export function parseQuery(raw: string): ProtocolQuery {
  const parameters = new Map<string, string>();
  const kept: string[] = [];
  for (const segment of raw === "" ? [] : raw.split("&")) {
    const equals = segment.indexOf("=");
    const name = decodeForm(equals === -1 ? segment : segment.slice(0, equals)).toLowerCase();
    if (equals !== -1 && !parameters.has(name)) parameters.set(name, decodeForm(segment.slice(equals + 1)));
    // A bare `sb-hc-something` without `=` belongs to the application, as at the service itself.
    if (equals === -1 || !name.startsWith("sb-hc-")) kept.push(segment);
  }
  return { get: (name) => parameters.get(name), application: kept.join("&") };
}

function decodeForm(text: string): string {
  const blanks = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(blanks);
  } catch {
    return blanks;
  }
}
