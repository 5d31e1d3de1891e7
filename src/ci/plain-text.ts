/**
 * Text from elsewhere (a cluster's or a caller's name, another process's log) as one line that no CI system takes
 * for a command: those begin a line with `::`, or stand anywhere as `##[` or `##vso[`. Characters that format
 * invisibly go too: an override of the writing direction makes one name look like another.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/##(?=\[|vso\[)/gi, "# #")
    .replace(/^\s*::/, ": :");
}

/** The same, cut to `most` characters: CI systems cut a long annotation at its end, where the remedy stands. */
export function shortText(text: string, most: number): string {
  const plain = plainText(text);
  return plain.length <= most ? plain : `${plain.slice(0, most)} …`;
}
