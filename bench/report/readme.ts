import { readFileSync, writeFileSync } from "node:fs";

const begin = "<!-- last run: begin -->";
const end = "<!-- last run: end -->";

/** Puts `text` between the two marks of a Markdown file. Throws when they are not there. */
export function replaceBetweenMarks(path: string, text: string): void {
  const page = readFileSync(path, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${path} has no place for the last run`);
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}
