import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { inputs, inputsOf, outputs } from "../../src/ci/inputs";
import { nameOn } from "../../src/ci/system-names";
import { errorRegistry } from "../../src/runtime/errors";

interface Manifest {
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string; post: string };
}

const root = join(__dirname, "../..");
const manifest = parse(readFileSync(join(root, "action.yml"), "utf8")) as Manifest;
const repair = "a manifest differs from src/ci/inputs.ts: mend that table, then run npm run docs";

describe("action.yml", () => {
  it("has the inputs of src/ci/inputs.ts, with their descriptions and defaults", () => {
    const expected = inputsOf("github").map(([name, input]) => [
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

interface TaskManifest {
  inputs: {
    name: string;
    required: boolean;
    defaultValue: string;
    helpMarkDown: string;
    groupName?: string;
  }[];
  outputVariables: { name: string; description: string }[];
  groups: { name: string }[];
  restrictions: { settableVariables: { allowed: string[] } };
  version: { Major: number; Minor: number; Patch: number };
  minimumAgentVersion: string;
  execution: Record<string, { target: string }>;
  postjobexecution: Record<string, { target: string }>;
}

describe("task.json", () => {
  const task = JSON.parse(readFileSync(join(root, "task.json"), "utf8")) as TaskManifest;

  it("has the inputs of src/ci/inputs.ts under Azure's names, each with help, its default and a group that is there", () => {
    const expected = inputsOf("azure-pipelines").map(([name, input]) => [
      nameOn("azure-pipelines", name),
      input.required === true,
      input.default ?? "",
    ]);
    const found = task.inputs.map(({ name, required, defaultValue }) => [name, required, defaultValue]);
    expect({ repair, inputs: found }).toEqual({ repair, inputs: expected });
    const groups = [undefined, ...task.groups.map(({ name }) => name)];
    for (const { helpMarkDown, groupName } of task.inputs) {
      expect(helpMarkDown).toMatch(/^[A-Z].*\.$/s);
      expect(groups).toContain(groupName);
      // In Azure's spelling.
      for (const name of Object.keys(inputs).filter((key) => key.includes("-"))) {
        expect(helpMarkDown).not.toMatch(new RegExp(`(?<!\\w)${name}(?!\\w)`));
      }
    }
  });

  it("has the outputs of src/ci/inputs.ts, and may set nothing but them and the exported variables", () => {
    const names = Object.keys(outputs).map((name) => nameOn("azure-pipelines", name));
    expect({ repair, names: task.outputVariables.map(({ name }) => name) }).toEqual({ repair, names });
    const allowed = ["KUBECONFIG", "KUBE_CONFIG_PATH", ...names];
    expect(task.restrictions.settableVariables.allowed).toEqual(allowed);
    // Listed as an output, the variable would reach later tasks under the step's name alone.
    expect(names).not.toContain("KUBECONFIG");
  });

  it("runs the bundles on both runtimes that agents have, from the first agent that has the older one", () => {
    const handlers = (bundle: string) => {
      const target = `dist/${bundle}/index.js`;
      return { Node20_1: { target }, Node24: { target } };
    };
    expect(task.execution).toEqual(handlers("azure-main"));
    expect(task.postjobexecution).toEqual(handlers("azure-post"));
    expect(task.minimumAgentVersion).toBe("4.248.0");
  });

  it("has the version of package.json", () => {
    const { Major, Minor, Patch } = task.version;
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(version.split("-")[0]).toBe([Major, Minor, Patch].join("."));
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

describe("an input that is missing in one place of the four", () => {
  const copy = mkdtempSync(join(tmpdir(), "parity-"));
  afterAll(() => rmSync(copy, { recursive: true }));
  const places = ["src/ci/inputs.ts", "action.yml", "task.json", "docs/inputs-and-outputs.md"] as const;
  const needed = ["src/ci", "src/runtime", "docs", "action.yml", "task.json", "package.json"];
  const check = () => {
    const args = ["scripts/generate-docs.mjs", "--check", "--root", copy];
    return spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  };
  const without: Record<(typeof places)[number], (text: string) => string> = {
    "src/ci/inputs.ts": (text) => text.replace(/\n {2}namespace: \{[\s\S]*?\n {2}\},/, ""),
    "action.yml": (text) => text.replace(/\n {2}namespace:\n.*/, ""),
    "task.json": (text) => {
      const task = JSON.parse(text) as TaskManifest;
      return JSON.stringify({ ...task, inputs: task.inputs.filter(({ name }) => name !== "namespace") });
    },
    "docs/inputs-and-outputs.md": (text) => text.replace(/\n\| `namespace`.*/, ""),
  };

  beforeEach(() => {
    for (const path of needed) cpSync(join(root, path), join(copy, path), { recursive: true });
  });

  it.each(places)("fails the check when that is %s, which names the repair", (path) => {
    expect(check().stderr).toBe("");
    const text = read(path);
    const mutilated = without[path](text);
    expect(mutilated).not.toBe(text);
    writeFileSync(join(copy, path), mutilated);
    const { status, stderr } = check();
    expect([status, stderr]).toEqual([1, expect.stringContaining("Run: npm run docs")]);
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
  task?: string;
  inputs?: Record<string, string>;
}
interface Example {
  readonly page: string;
  readonly given: readonly string[];
  /** Of the job, where the example shows one. */
  readonly permissions: Record<string, string> | undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** Every step of the YAML blocks of a page, however deep it stands, with the permissions of the job around it. */
function stepsIn(page: string): { step: Step; permissions: Example["permissions"] }[] {
  const found: { step: Step; permissions: Example["permissions"] }[] = [];
  const visit = (node: unknown, permissions: Example["permissions"]): void => {
    if (Array.isArray(node)) return node.forEach((child) => visit(child, permissions));
    if (!isObject(node)) return;
    if ("uses" in node || "task" in node) found.push({ step: node as Step, permissions });
    const own = "runs-on" in node ? ((node["permissions"] ?? {}) as Record<string, string>) : permissions;
    for (const child of Object.values(node)) visit(child, own);
  };
  for (const [, text = ""] of read(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm)) {
    for (const document of parseAllDocuments(text)) visit(document.toJS(), undefined);
  }
  return found;
}

describe.each([
  [
    "github",
    ["README.md", "docs/azure-arc.md", "docs/github-actions.md"],
    ({ uses, with: given }: Step) =>
      uses?.startsWith("arc/cluster-connect@") === true ? (given ?? {}) : undefined,
  ],
  [
    "azure-pipelines",
    ["deploy/azure-devops/overview.md", "docs/azure-arc.md", "docs/azure-pipelines.md"],
    ({ task, inputs: given }: Step) => (task === "ClusterConnect@1" ? (given ?? {}) : undefined),
  ],
] as const)("the examples for %s", (system, where, inputsIn) => {
  const examples = [...pages, "deploy/azure-devops/overview.md"].flatMap((page) =>
    stepsIn(page).flatMap(({ step, permissions }): Example[] => {
      const given = inputsIn(step);
      return given === undefined ? [] : [{ page, given: Object.keys(given), permissions }];
    }),
  );
  const names = new Map(inputsOf(system).map(([name, input]) => [nameOn(system, name), input]));

  it("are there, in README and docs", () => {
    expect([...new Set(examples.map(({ page }) => page))].sort()).toEqual([...where].sort());
  });

  it("use inputs that exist, every required one among them, and grant what a job needs", () => {
    const required = [...names].filter(([, input]) => input.required === true).map(([name]) => name);
    for (const { page, given, permissions } of examples) {
      expect({ page, unknown: given.filter((name) => !names.has(name)) }).toEqual({ page, unknown: [] });
      expect({ page, given }).toEqual({ page, given: expect.arrayContaining(required) as string[] });
      if (permissions !== undefined) expect(permissions).toMatchObject({ "id-token": "write" });
    }
  });

  it("say whose tokens relay and cluster are shown, so that the step would start", () => {
    if (system === "github") return expect(examples.length).toBeGreaterThan(5);
    for (const { page, given } of examples) {
      const has = (...names: string[]) => names.every((name) => given.includes(name));
      const isEntra = has("azureSubscription", "relayScope", "clusterScope");
      const isArc = has("azureSubscription", "subscriptionId", "resourceGroup");
      expect({ page, given, is: isEntra || isArc || has("relayKey") }).toEqual({ page, given, is: true });
    }
  });
});

describe("links between the documents", () => {
  const slug = (heading: string) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
  const anchorsOf = (path: string) =>
    [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => slug(heading));

  it("lead to files and headings that are there", () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => {
          const [file = "", anchor] = target.split("#");
          const path = file === "" ? page : join(dirname(page), file);
          if (!existsSync(join(root, path))) return true;
          return anchor !== undefined && !anchorsOf(path).includes(anchor);
        })
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

describe.each([
  ["GitHub Actions", /from "@actions\//, "src/ci/github/"],
  ["Azure Pipelines", /from "azure-pipelines-task-lib/, "src/ci/azure-pipelines/"],
])("the toolkit of %s", (_name, imported, folder) => {
  it(`is imported by ${folder} alone`, () => {
    const importing = sources.filter((path) => imported.test(read(path)));
    expect(importing.every((path) => path.startsWith(folder))).toBe(true);
    expect(importing).not.toEqual([]);
  });
});
