/**
 * Writes what is made from source: action.yml's and task.json's inputs and outputs and docs/inputs-and-outputs.md from
 * src/ci/inputs.ts, docs/errors.md from the registry of errors. With --check, compares instead and names what to run.
 * With --root, of another checkout than this one.
 */
import { transformFileSync } from "@swc/core";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import prettier from "prettier";
import { actionManifest, taskManifest } from "./manifests.mjs";

const { check, root } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    root: { type: "string", default: join(dirname(fileURLToPath(import.meta.url)), "..") },
  },
}).values;
const require = createRequire(import.meta.url);

// TypeScript sources as CommonJS, in memory: Node 20 reads no TypeScript.
Module._extensions[".ts"] = (module, file) => {
  const { code } = transformFileSync(file, {
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    module: { type: "commonjs" },
  });
  module._compile(code, file);
};

const table = {
  ...require(join(root, "src/ci/inputs.ts")),
  ...require(join(root, "src/ci/system-names.ts")),
};
const { errorRegistry } = require(join(root, "src/runtime/errors.ts"));

const cell = (text) => text.replaceAll("|", "\\|");
const row = (cells) => `| ${cells.map(cell).join(" | ")} |`;
const markdownTable = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

const code = (text) => `\`${text}\``;

function inputsPage() {
  const { inputs, outputs, nameOn } = table;
  const rows = Object.entries(inputs).map(([name, { only, required, default: value, description }]) => [
    only === "azure-pipelines" ? "" : code(name),
    only === "github" ? "" : code(nameOn("azure-pipelines", name)),
    required ? "required" : value === undefined ? "" : code(value),
    description,
  ]);
  const outputRows = Object.entries(outputs).map(([name, description]) => [
    code(name),
    code(nameOn("azure-pipelines", name)),
    description,
  ]);
  return `# Inputs and outputs

Made from \`src/ci/inputs.ts\` by \`npm run docs\`. The descriptions name inputs as GitHub has them. An empty cell means that this CI
system has no such input.

## Inputs

${markdownTable(["GitHub", "Azure Pipelines", "default", "sense"], rows)}

## Outputs

${markdownTable(["GitHub", "Azure Pipelines", "sense"], outputRows)}

## Exported variables

\`KUBECONFIG\` and \`KUBE_CONFIG_PATH\`, each one path and never a list. The post step gives both their earlier values back.
`;
}

function errorsPage() {
  const sections = Object.entries(errorRegistry)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(
      ([code, { hop, owner, summary, cause, remedy }]) =>
        `## ${code}\n\n${summary[0].toUpperCase()}${summary.slice(1)}.\n\n- **Where**: ${hop}\n- **Likely cause**: ${cause}\n- **What to do** (${owner}): ${remedy}\n`,
    );
  return `# Errors

Made from \`src/runtime/errors/\` by \`npm run docs\`. Each failure shows its code, where it happened, the likely cause and what to do.

${sections.join("\n")}`;
}

const read = (path) => readFileSync(join(root, path), "utf8");
const { version } = JSON.parse(read("package.json"));
const made = {
  "action.yml": () => actionManifest(read("action.yml"), table),
  "task.json": () => taskManifest(read("task.json"), table, version),
  "docs/inputs-and-outputs.md": inputsPage,
  "docs/errors.md": errorsPage,
};
for (const [path, make] of Object.entries(made)) {
  const file = join(root, path);
  const options = await prettier.resolveConfig(fileURLToPath(new URL(`../${path}`, import.meta.url)));
  const formatted = await prettier.format(make(), { ...options, filepath: file });
  if (!check) writeFileSync(file, formatted);
  else if (read(path) !== formatted) {
    console.error(`${path} is not what the source says. Run: npm run docs`);
    process.exitCode = 1;
  }
}
