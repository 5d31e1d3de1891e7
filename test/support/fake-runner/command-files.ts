import { readFileSync } from "node:fs";

/** Reads GITHUB_ENV, GITHUB_OUTPUT or GITHUB_STATE: `name=value` lines and `name<<delimiter` blocks. */
export function readCommandFile(path: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const block = /^([^=]+?)<<(.+)$/.exec(line);
    if (block === null) {
      const equals = line.indexOf("=");
      values[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    const [, name = "", delimiter = ""] = block;
    const end = lines.indexOf(delimiter, at + 1);
    if (end === -1) throw new Error(`no end of ${name}`);
    values[name] = lines.slice(at + 1, end).join("\n");
    at = end;
  }
  return values;
}
