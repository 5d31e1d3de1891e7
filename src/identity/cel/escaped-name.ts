/**
 * Names that CEL could not write as fields, as Kubernetes escapes them: `__dot__` for `.`, `__dash__` for `-`,
 * `__slash__` for `/`, `__underscores__` for `__`, and `__in__` for a reserved word. Undefined when nothing is escaped,
 * or not in this way.
 */
export function unescapedName(name: string): string | undefined {
  if (!name.includes("__")) return undefined;
  const [, word] = /^__([a-z]+)__$/.exec(name) ?? [];
  if (word !== undefined && reserved.has(word)) return word;
  let isValid = true;
  const unescaped = name.replace(
    /__(dot|dash|slash|underscores)__|__/g,
    (found, what: string | undefined) => {
      if (what === undefined) isValid = false;
      return what === undefined ? found : (symbols[what] ?? found);
    },
  );
  return isValid && unescaped !== name ? unescaped : undefined;
}

const symbols: Readonly<Record<string, string>> = { dot: ".", dash: "-", slash: "/", underscores: "__" };

const reserved = new Set([
  ...[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
  ],
  ...["let", "loop", "package", "namespace", "return"],
]);
