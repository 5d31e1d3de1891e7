/**
 * Bundles each entry of the product into one CommonJS file under dist/ (or, with --check, into a scratch folder
 * that is then compared with dist/). Types are checked by `npm run typecheck`; the bundler only transpiles.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const entries = {
  "github-main": "src/ci/github/main.ts",
  "github-post": "src/ci/github/post.ts",
  "azure-main": "src/ci/azure-pipelines/main.ts",
  "azure-post": "src/ci/azure-pipelines/post.ts",
  "client-proxy": "src/client-proxy/main.ts",
  cli: "src/cli/main.ts",
};

const files = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
        .sort()
    : [];

/** What ws would use if it were there. The bundler leaves what it does not find to be looked for at run time. */
const optional = ["bufferutil", "utf-8-validate"];

function bundle(source, target) {
  // --no-cache: ncc's cache has leaked module kinds from one build into another.
  const ncc = join(root, "node_modules/@vercel/ncc/dist/ncc/cli.js");
  const args = [ncc, "build", join(root, source), "-o", target, "--no-cache", "--transpile-only", "--quiet"];
  execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  for (const name of files(target)) if (name !== "index.js") rmSync(join(target, name));
  const file = join(target, "index.js");
  const text = readFileSync(file, "utf8");
  const missing = [...text.matchAll(/module\.exports = (?:eval\("require"\)|require)\("([^"]+)"\)/g)]
    .map(([, name]) => name)
    .filter((name) => !isBuiltin(name) && !optional.includes(name));
  if (missing.length > 0) throw new Error(`${source} needs ${missing.join(", ")}. Run: npm ci`);
  writeFileSync(file, withoutWideCharacters(text));
}

/** One character beyond Latin-1, and V8 keeps the whole text of the bundle with two bytes a character. */
const withoutWideCharacters = (text) =>
  text.replaceAll(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const check = process.argv.includes("--check");
mkdirSync(join(root, ".build"), { recursive: true });
const scratch = mkdtempSync(join(root, ".build", "dist-"));
try {
  const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const names = only.length > 0 ? only : Object.keys(entries);
  for (const name of names) bundle(entries[name], join(scratch, name));
  if (check) {
    const before = files(join(root, "dist"));
    const after = files(scratch);
    const differing = [...new Set([...before, ...after])].filter(
      (name) =>
        !before.includes(name) ||
        !after.includes(name) ||
        !readFileSync(join(root, "dist", name)).equals(readFileSync(join(scratch, name))),
    );
    if (differing.length > 0) {
      console.error(`dist/ is not what src/ builds: ${differing.join(", ")}. Run: npm run build`);
      process.exitCode = 1;
    }
  } else {
    if (only.length === 0) rmSync(join(root, "dist"), { recursive: true, force: true });
    cpSync(scratch, join(root, "dist"), { recursive: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
