/** Adds the context to a kubeconfig of the user's own for as long as the proxy runs. */
import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { currentContextOf, mergeKubeconfig, readEntry, removeFromKubeconfig } from "./kubeconfig";
import { withKubeconfigLock } from "./kubeconfig-lock";
import { replacePrivateFile } from "./private-file";

/** Merges the entry of `ownPath` into `targetPath`, creating it if need be. Returns how to take it out again. */
export async function mergeContext(ownPath: string, targetPath: string): Promise<() => Promise<void>> {
  const entry = readEntry(await readFile(ownPath, "utf8"));
  // Through a link to the file itself: replacing the link would leave the user's file behind.
  const target = await realpath(targetPath).catch(() => targetPath);
  // Locked under the name that kubectl is given too, link or not.
  const previousContext = await withKubeconfigLock(targetPath, async () => {
    const existing = (await readExisting(target)) ?? "";
    await replacePrivateFile(target, mergeKubeconfig(existing, entry));
    return currentContextOf(existing);
  });
  return async () => {
    if (!existsSync(target)) return;
    await withKubeconfigLock(targetPath, async () => {
      const now = await readExisting(target);
      if (now === undefined) return;
      await replacePrivateFile(target, removeFromKubeconfig(now, entry.name, previousContext));
    });
  };
}

async function readExisting(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ClusterConnectError("ERR_KUBECONFIG_UNREADABLE", messageOf(error), { cause: error });
  }
}
