/**
 * Text from elsewhere (a cluster's or a caller's name, another process's log) as one line that no CI system takes
 * for a command: those begin a line with `::`, or stand anywhere as `##[` or `##vso[`.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/##(?=\[|vso\[)/gi, "# #")
    .replace(/^\s*::/, ": :");
}
