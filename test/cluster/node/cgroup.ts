/** One group of its own for the node's pods, in every hierarchy: what is left of it can be told from anything else. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = "/sys/fs/cgroup";

/** Version 2 has one hierarchy, at the root; version 1 has a folder for each. */
const hierarchies = () =>
  existsSync(join(root, "cgroup.controllers"))
    ? [root]
    : readdirSync(root)
        .map((entry) => join(root, entry))
        .filter((folder) => statSync(folder).isDirectory());

export const cgroupNames = (prefix: string): string[] => [
  ...new Set(
    hierarchies()
      .flatMap((hierarchy) => readdirSync(hierarchy))
      .map((name) => `/${name}`)
      .filter((name) => name.startsWith(prefix)),
  ),
];

export function createCgroup(name: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, name));
}

/** The kernel removes an empty group only, and only by rmdir; what looks like files in there is not in the way. */
export function removeCgroup(name: string): true {
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, name));
  return true;
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}
