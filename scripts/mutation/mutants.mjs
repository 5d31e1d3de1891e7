/** Finds the defences of a source file and takes each away, one at a time. */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { lifecycle, operators } from "./operators.mjs";

/**
 * Every mutant of one file, in order: `{ id, file, line, kind, before, start, end, replacement, probe }`. `probe` is
 * what is written around the original to see whether a test would tell the two apart (see probes.mjs).
 */
export function mutantsOf(file) {
  const text = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const mutants = [];
  const add = (node, kind, replacement, probe) => {
    const start = node.getStart(source);
    mutants.push({
      // With the end: of `a && b && c` two halves begin at one place.
      id: `${file}:${start}-${node.end}:${kind}`,
      file,
      line: source.getLineAndCharacterOfPosition(start).line + 1,
      kind,
      before: text.slice(start, node.end).replace(/\s+/g, " ").slice(0, 100),
      start,
      end: node.end,
      replacement,
      probe,
    });
  };
  const visit = (node) => {
    const isFunction = ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node);
    if (isFunction && lifecycle.test(node.name?.getText(source) ?? "")) return;
    for (const operator of operators) operator(node, add, source);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return mutants;
}

export function applyMutant({ file, start, end, replacement }) {
  const text = readFileSync(file, "utf8");
  return text.slice(0, start) + replacement + text.slice(end);
}
