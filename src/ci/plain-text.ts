/**
 * Text from elsewhere (a cluster's or a caller's name, another process's log) as one line that no CI system takes
 * for a command: those begin a line with `::`, or stand anywhere as `##[` or `##vso[`. Characters that nobody sees go
 * too: an override of the writing direction makes one name look like another, and the Azure Pipelines agent looks for
 * `##vso[` by a comparison of its culture, which overlooks what has no width.
 */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]+/gu, " ")
    .replace(/##(?=\[|vso)/gi, "# #")
    .replace(/^\s*::/, ": :");
}

/** The same, cut to `most` characters: CI systems cut a long annotation at its end, where the remedy stands. */
export function shortText(text: string, most: number): string {
  const plain = plainText(text);
  return plain.length <= most ? plain : `${plain.slice(0, most)} …`;
}
