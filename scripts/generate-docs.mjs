/**
 * Writes the documents that are made from source: docs/inputs-and-outputs.md from src/ci/inputs.ts, docs/errors.md
 * from the registry of errors. With --check, compares instead and names what to run.
 */
import { transformFileSync } from "@swc/core";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import prettier from "prettier";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);

// TypeScript sources as CommonJS, in memory: Node 20 reads no TypeScript.
Module._extensions[".ts"] = (module, file) => {
  const { code } = transformFileSync(file, {
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    module: { type: "commonjs" },
  });
  module._compile(code, file);
};

const { inputs, outputs } = require(join(root, "src/ci/inputs.ts"));
const { errorRegistry } = require(join(root, "src/runtime/errors.ts"));

const cell = (text) => text.replaceAll("|", "\\|");
const row = (cells) => `| ${cells.map(cell).join(" | ")} |`;
const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

function inputsPage() {
  const rows = Object.entries(inputs).map(([name, { required, default: value, description }]) => [
    `\`${name}\``,
    required ? "required" : value === undefined ? "" : `\`${value}\``,
    description,
  ]);
  const outputRows = Object.entries(outputs).map(([name, description]) => [`\`${name}\``, description]);
  return `# Inputs and outputs

Made from \`src/ci/inputs.ts\` by \`npm run docs\`.

## Inputs

${table(["input", "default", "sense"], rows)}

## Outputs

${table(["output", "sense"], outputRows)}

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

const check = process.argv.includes("--check");
for (const [path, text] of [
  ["docs/inputs-and-outputs.md", inputsPage()],
  ["docs/errors.md", errorsPage()],
]) {
  const file = join(root, path);
  const options = await prettier.resolveConfig(file);
  const formatted = await prettier.format(text, { ...options, parser: "markdown" });
  if (!check) writeFileSync(file, formatted);
  else if (readFileSync(file, "utf8") !== formatted) {
    console.error(`${path} is not what the source says. Run: npm run docs`);
    process.exitCode = 1;
  }
}
