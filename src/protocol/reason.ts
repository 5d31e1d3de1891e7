/** Reasons: short texts for people, which travel in RESET, GOAWAY and the WebSocket close. */

/** At most `maxBytes` of UTF-8, never half a character. */
export function cutUtf8(text: string, maxBytes: number): Buffer {
  const bytes = Buffer.from(text, "utf8");
  let end = Math.min(bytes.length, maxBytes);
  // A byte 10xxxxxx continues a character: step back to where one begins.
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** Without control characters and line ends: what a peer says ends up in logs and terminals. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
}
