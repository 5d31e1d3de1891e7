import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { inputs, outputs, type InputDefinition } from "../../src/ci/inputs";
import { errorRegistry } from "../../src/runtime/errors";

interface Manifest {
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string; post: string };
}

const root = join(__dirname, "../..");
const manifest = parse(readFileSync(join(root, "action.yml"), "utf8")) as Manifest;
const repair = "action.yml differs from src/ci/inputs.ts: mend one of the two, then run npm run docs";

describe("action.yml", () => {
  it("has the inputs of src/ci/inputs.ts, with their descriptions and defaults", () => {
    const expected = Object.entries(inputs as Record<string, InputDefinition>).map(([name, input]) => [
      name,
      {
        description: input.description,
        ...(input.required === true ? { required: true } : {}),
        ...(input.default === undefined ? {} : { default: input.default }),
      },
    ]);
    expect({ repair, inputs: manifest.inputs }).toEqual({ repair, inputs: Object.fromEntries(expected) });
  });

  it("has the outputs of src/ci/inputs.ts", () => {
    const expected = Object.entries(outputs).map(([name, description]) => [name, { description }]);
    expect({ repair, outputs: manifest.outputs }).toEqual({ repair, outputs: Object.fromEntries(expected) });
  });

  it("runs the bundles on the runtime that runners have", () => {
    expect(manifest.runs).toEqual({
      using: "node24",
      main: "dist/github-main/index.js",
      post: "dist/github-post/index.js",
    });
  });
});

const read = (path: string) => readFileSync(join(root, path), "utf8");
const listed = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
const sources = listed("src", ".ts");
const pages = ["README.md", ...listed("docs", ".md")];

describe("the documents made from source", () => {
  it("are what the source says", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/generate-docs.mjs", "--check"], {
      cwd: root,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("the registry of errors", () => {
  const codes = new Set(Object.keys(errorRegistry));
  const mentioned = (paths: readonly string[]) =>
    new Set(paths.flatMap((path) => read(path).match(/\bERR_[A-Z]\w+\b(?!_)/g) ?? []));

  it("has every code that the documents name", () => {
    expect([...mentioned(pages)].filter((code) => !codes.has(code))).toEqual([]);
  });

  it("has no code that nothing uses", () => {
    const users = sources.filter((path) => !path.startsWith("src/runtime/errors/"));
    const used = mentioned(users);
    expect([...codes].filter((code) => !used.has(code))).toEqual([]);
  });
});

interface Step {
  uses?: string;
  with?: Record<string, string>;
}
type Jobs = Record<string, { steps?: Step[]; permissions?: Record<string, string> }>;

interface Example {
  readonly step: Step;
  readonly permissions: Record<string, string> | undefined;
}

/** The steps of a page's YAML blocks that use the action, each with the permissions of its job, where it has one. */
function examplesIn(page: string): Example[] {
  const blocks = [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);
  return blocks
    .flatMap((text) =>
      parseAllDocuments(text).map((document) => document.toJS() as Step[] | { jobs?: Jobs } | null),
    )
    .flatMap((document): Example[] =>
      Array.isArray(document)
        ? document.map((step) => ({ step, permissions: undefined }))
        : Object.values(document?.jobs ?? {}).flatMap(({ steps = [], permissions = {} }) =>
            steps.map((step) => ({ step, permissions })),
          ),
    )
    .filter(({ step }) => step.uses?.startsWith("arc/cluster-connect@") === true);
}

describe("the examples of workflows", () => {
  const examples = pages.flatMap((page) => examplesIn(page).map((example) => ({ page, ...example })));

  it("are there, in README and docs", () => {
    expect(new Set(examples.map(({ page }) => page))).toEqual(
      new Set(["README.md", "docs/github-actions.md"]),
    );
  });

  it("use inputs that exist, every required one among them, and grant what a job needs", () => {
    const required = Object.entries(inputs as Record<string, InputDefinition>)
      .filter(([, input]) => input.required === true)
      .map(([name]) => name);
    for (const { page, step, permissions } of examples) {
      const given = Object.keys(step.with ?? {});
      expect({ page, unknown: given.filter((name) => !(name in inputs)) }).toEqual({ page, unknown: [] });
      expect({ page, given }).toEqual({ page, given: expect.arrayContaining(required) as string[] });
      if (permissions !== undefined) expect(permissions).toMatchObject({ "id-token": "write" });
    }
  });
});

describe("the toolkit of GitHub Actions", () => {
  it("is imported by src/ci/github alone", () => {
    const importing = sources.filter((path) => /from "@actions\//.test(read(path)));
    expect(importing.every((path) => path.startsWith("src/ci/github/"))).toBe(true);
    expect(importing).not.toEqual([]);
  });
});
