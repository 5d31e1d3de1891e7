import { open, rm } from "node:fs/promises";
import { delay } from "../runtime/delay";
import { ClusterConnectError, messageOf } from "../runtime/errors";

const retryMs = 50;

/**
 * Does `work` while `FILE.lock` beside a kubeconfig is ours: kubectl's own lock (client-go, tools/clientcmd/config.go),
 * so that neither of the two undoes what the other writes. Throws ERR_KUBECONFIG_LOCKED after `waitMs`.
 */
export async function withKubeconfigLock<Result>(
  path: string,
  work: () => Promise<Result>,
  waitMs = 5_000,
): Promise<Result> {
  const lock = `${path}.lock`;
  const deadline = performance.now() + waitMs;
  while (!(await take(lock))) {
    if (performance.now() > deadline) throw new ClusterConnectError("ERR_KUBECONFIG_LOCKED", lock);
    await delay(retryMs);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx", 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new ClusterConnectError("ERR_KUBECONFIG_UNREADABLE", messageOf(error), { cause: error });
  }
}
