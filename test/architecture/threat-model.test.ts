import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "../..");
const text = readFileSync(join(root, "docs/threat-model.md"), "utf8");
const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word!);
const attacks = readdirSync(join(root, "test/attacks"))
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => name.replace(".test.ts", ""));

describe("the threat model", () => {
  it("names every attack that there is a test for", () => {
    expect(attacks.filter((name) => !quoted.includes(name))).toEqual([]);
  });

  it("names no test that there is none of", () => {
    const files = quoted.filter((word) => /^test\/.*\.ts$/.test(word));
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    // In the last column of a table, a bare word is an attack.
    const columns = text.split("\n").filter((line) => line.startsWith("|"));
    const named = columns
      .map((line) => line.split("|").at(-2) ?? "")
      .flatMap((cell) => [...cell.matchAll(/`([a-z0-9-]+)`/g)].map(([, word]) => word!));
    expect(named.filter((name) => !attacks.includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(30);
  });
});
