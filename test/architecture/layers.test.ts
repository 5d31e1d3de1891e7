import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const root = join(__dirname, "../..");
const source = join(root, "src");

interface Rule {
  readonly folder: string;
  readonly allowed: readonly string[];
  readonly anything: boolean;
}

/** The layer table of ARCHITECTURE.md, one rule a folder, the longest folder first. */
function readRules(): Rule[] {
  const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| (`.+?`) +\| (.+?) +\|$/gm);
  return [...rows]
    .flatMap(([, folders = "", allowed = ""]) =>
      quoted(folders).map((folder) => ({
        folder,
        allowed: quoted(allowed),
        anything: allowed.startsWith("any process folder"),
      })),
    )
    .sort((one, other) => other.folder.length - one.folder.length);
}

const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)]
    .map(([, specifier = ""]) => relative(source, normalize(join(source, dirname(file), specifier))))
    .filter((target) => target !== "../package.json");
}

const inside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

describe("layers", () => {
  const rules = readRules();

  it("are described by a table in ARCHITECTURE.md that covers every folder of src", () => {
    const folders = new Set(files.map((file) => file.split("/")[0]));
    expect(rules.length).toBeGreaterThan(8);
    for (const folder of folders) expect(rules.map((rule) => rule.folder)).toContain(folder);
  });

  it.each(files)("%s imports only what its folder may", (file) => {
    const rule = rules.find(({ folder }) => inside(file, folder));
    expect(rule).toBeDefined();
    const forbidden = importsOf(file).filter(
      (target) =>
        !rule!.anything &&
        !inside(target, rule!.folder) &&
        !rule!.allowed.some((allowed) => inside(target, allowed)),
    );
    expect(forbidden).toEqual([]);
  });

  it("form no cycle", () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`import cycle: ${[...path, file].join(" → ")}`);
      if (done.has(file)) return;
      for (const target of importsOf(file)) {
        const resolved = [`${target}.ts`, `${target}/index.ts`].find((name) => files.includes(name));
        if (resolved !== undefined) visit(resolved, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });
});

describe("source files", () => {
  const linesOfCode = (file: string) =>
    readFileSync(join(source, file), "utf8")
      .split("\n")
      .filter((line) => !/^\s*(\/\/|\/?\*|$)/.test(line)).length;

  it("have a median of at most 80 lines of code and none over 300", () => {
    const lengths = files.map(linesOfCode).sort((one, other) => one - other);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(80);
    expect(lengths.at(-1)).toBeLessThanOrEqual(300);
  });

  it("have names that say what they hold", () => {
    expect(
      files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)(\.ts|\/)/i.test(file)),
    ).toEqual([]);
  });
});
