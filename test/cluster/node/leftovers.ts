import { existsSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupNames, removeCgroup } from "./cgroup";

/** Names the process that answers for it: what outlives its process is nobody's. */
export const folderPrefix = "cluster-connect-node-";
export const cgroupPrefix = "/cluster-connect-";

/**
 * A run that was killed outright takes its processes, mounts and devices with it, since they hang on its pipe. Its
 * folder and its empty cgroup stay; the next run removes them.
 */
export function removeLeftovers(): void {
  const abandoned = (name: string) => {
    const [, pid] = /^\/?cluster-connect-(?:node-)?(\d+)/.exec(name) ?? [];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(folderPrefix) && abandoned(name)) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
  for (const name of cgroupNames(cgroupPrefix)) {
    if (abandoned(name)) removeCgroup(name);
  }
}
