import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ConnectionFacts } from "../client-proxy/control";
import { isOurs, mergeKubeconfig, readEntry } from "../client-proxy/kubeconfig";
import type { JobState } from "./job-state";
import type { CiPlatform } from "./platform";

/**
 * Exports the kubeconfig: one path, never a list. A file of ours that an earlier use in this job exported is copied
 * into it, so that both contexts can be used; a file of the user's own is replaced, and restored by post.
 */
export async function exportKubeconfig(
  platform: CiPlatform,
  state: JobState,
  connection: ConnectionFacts,
): Promise<string> {
  const { KUBECONFIG: previous = "", KUBE_CONFIG_PATH: previousPath = "" } = platform.job.environment;
  const earlier = previous === "" ? "" : await readFile(previous, "utf8").catch(() => "");
  let path = connection.kubeconfigPath;
  if (isOurs(earlier)) {
    const entry = readEntry(await readFile(path, "utf8"));
    path = join(dirname(path), "kubeconfig-merged");
    await writeFile(path, mergeKubeconfig(earlier, entry), { mode: 0o600, flag: "wx" });
  }
  state.save("previousKubeconfig", previous);
  state.save("previousKubeConfigPath", previousPath);
  state.save("kubeconfigPath", path);
  platform.exportVariable("KUBECONFIG", path);
  platform.exportVariable("KUBE_CONFIG_PATH", path);
  return path;
}
