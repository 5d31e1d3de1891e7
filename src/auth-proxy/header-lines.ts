/** Header lines as they came: order, case and repetition kept. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

/**
 * Pairs up Node's flat `rawHeaders`. Decisions are made on these lines and never on `headers`, which joins
 * repeated names with commas and silently keeps only the first of some. HTTP/2 pseudo-headers are left out.
 */
export function headerLines(rawHeaders: readonly string[]): HeaderLines {
  const lines: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!name.startsWith(":")) lines.push([name, rawHeaders[at + 1] ?? ""]);
  }
  return lines;
}

/** Every value of a header, whatever its case. `name` is lower-case. */
export function valuesOf(lines: HeaderLines, name: string): string[] {
  return lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** The comma-separated elements of all lines of a header, blanks and empty ones removed. */
export function elementsOf(lines: HeaderLines, name: string): string[] {
  return valuesOf(lines, name)
    .flatMap((value) => value.split(","))
    .map((element) => element.trim())
    .filter((element) => element !== "");
}
