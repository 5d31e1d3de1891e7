import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "../..");
const page = readFileSync(join(root, "docs/azure-arc.md"), "utf8");
const rows = page
  .slice(page.indexOf("## Compared"))
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .slice(2)
  .map((line) => {
    const [feature = "", , , here = "", shownBy = ""] = line.split("|").slice(1, -1);
    return [feature.trim(), here.trim(), shownBy.trim()] as const;
  });

describe("Azure Arc, compared", () => {
  it("answers for every feature of those that it is compared with", () => {
    expect(rows).toHaveLength(43);
    expect(new Set(rows.map(([feature]) => feature)).size).toBe(43);
  });

  it.each(rows)("%s: is there, or has a reason why it is not", (_feature, here, shownBy) => {
    expect(here).toMatch(/^(yes\b|not possible, because \w)/);
    if (here.startsWith("yes")) expect(shownBy).not.toBe("–");
  });

  it.each(rows.filter(([, , shownBy]) => shownBy !== "–"))(
    "%s: is shown by a test that is there",
    (_, __, shownBy) => {
      const [, file = "", name = ""] = /^`(test\/\S+\.test\.ts)`: "(.+)"$/.exec(shownBy) ?? [];
      expect(existsSync(join(root, file))).toBe(true);
      const titles = [
        ...readFileSync(join(root, file), "utf8").matchAll(/(?:\bit|\](?: as const)?\))\(\s*"(.+)", /g),
      ];
      expect(titles.map(([, title = ""]) => title).filter((title) => title.includes(name))).toHaveLength(1);
    },
  );
});
