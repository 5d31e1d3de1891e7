/**
 * Packs the Azure Pipelines task into an extension: `.build/cluster-connect-VERSION.vsix`, or with --twin one under
 * other ids, which can be installed beside it to try a release out. Prints its path. What tfx merely warns of fails.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { root, output, twin } = parseArgs({
  options: {
    root: { type: "string", default: join(dirname(fileURLToPath(import.meta.url)), "..") },
    output: { type: "string" },
    twin: { type: "boolean", default: false },
  },
}).values;
const build = join(root, ".build");
const target = output ?? build;

const readJson = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const { version } = readJson("package.json");
const twinTask = { id: "0c4f2b1e-6f0d-4f4e-9a57-3f1f4c8f3a10", name: "ClusterConnectTest" };

/** What of dist/ a task needs: its two stages, and the process that the first one starts. */
const bundles = ["azure-main", "azure-post", "client-proxy"];

function stage(folder) {
  const task = {
    ...readJson("task.json"),
    ...(twin ? { ...twinTask, friendlyName: "Cluster Connect (test)" } : {}),
  };
  const extension = readJson("vss-extension.json");
  if (twin) {
    Object.assign(extension, { id: `${extension.id}-test`, name: `${extension.name} (test)`, public: false });
  }
  for (const name of bundles) {
    cpSync(join(root, "dist", name), join(folder, "ClusterConnect/dist", name), { recursive: true });
  }
  cpSync(join(root, "deploy/azure-devops/task.png"), join(folder, "ClusterConnect/icon.png"));
  for (const name of ["extension.png", "overview.md"])
    cpSync(join(root, "deploy/azure-devops", name), join(folder, name));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  cpSync(join(root, "LICENSE"), join(folder, "ClusterConnect/LICENSE"));
  writeFileSync(join(folder, "ClusterConnect/task.json"), JSON.stringify(task, undefined, 2));
  writeFileSync(join(folder, "vss-extension.json"), JSON.stringify({ ...extension, version }, undefined, 2));
  return `${extension.id}-${version}.vsix`;
}

function pack(folder, path) {
  const tfx = createRequire(import.meta.url).resolve("tfx-cli/_build/tfx-cli.js");
  const args = ["extension", "create", "--root", folder, "--manifests", "vss-extension.json"];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [tfx, ...args, "--output-path", path, "--no-color", "--no-prompt"],
    { encoding: "utf8" },
  );
  const said = stdout + stderr;
  if (status !== 0 || /\bwarn(ing)?\b/i.test(said)) throw new Error(`tfx is not content:\n${said}`);
}

mkdirSync(build, { recursive: true });
mkdirSync(target, { recursive: true });
const folder = mkdtempSync(join(build, "vsix-"));
try {
  const path = join(target, stage(folder));
  rmSync(path, { force: true });
  pack(folder, path);
  console.log(path);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
