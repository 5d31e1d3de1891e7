import { plainText, shortText } from "../../../src/ci/plain-text";

describe("plain text", () => {
  it.each([
    ["a name", "github:repo:octo/app:environment:production", "github:repo:octo/app:environment:production"],
    ["letters of any script", "工場-7 ünï", "工場-7 ünï"],
    ["a line break", "a\r\nb", "a b"],
    ["Unicode's line breaks", "a\u2028b\u2029c\u0085d", "a b c d"],
    ["an escape sequence", "a\u001b[31mb", "a [31mb"],
    ["an override of the writing direction", "a\u202eb", "a b"],
    ["a command at the beginning", "  ::error::x", ": :error::x"],
    ["a command behind what is taken out", "\n::error::x", ": :error::x"],
    ["an old command anywhere", "a ##[error]x", "a # #[error]x"],
    ["an Azure command anywhere, in any case", "a ##VSO[task.complete]x", "a # #VSO[task.complete]x"],
  ])("makes of %s one harmless line", (_, text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it("is cut where it is too long, and says so", () => {
    expect(shortText("abcdef", 6)).toBe("abcdef");
    expect(shortText("abcdefg", 6)).toBe("abcdef …");
  });
});
