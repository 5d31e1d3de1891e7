/** Undoes what main has done: used by post, and by main itself when it fails. Never throws, takes at most 10 s. */
import { lstat, rm, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { arcProxyConfig, type ControlStatus } from "../client-proxy/control";
import { messageOf } from "../runtime/errors";
import { askClientProxy, readControlAddress } from "./control-client";
import { isInstanceDirectory } from "./instance-directory";
import { JobState } from "./job-state";
import type { CiPlatform } from "./platform";
import { stopProcess } from "./stop-process";

const statusTimeoutMs = 1_000;
const stopTimeoutMs = 4_000;

export interface Undone {
  /** The last word of the client proxy, if it still answered. */
  readonly status: ControlStatus | undefined;
  /** False when something is left, which a warning has named. */
  readonly isComplete: boolean;
}

export async function undo(platform: CiPlatform): Promise<Undone> {
  const state = new JobState(platform);
  const directory = state.read("instanceDirectory");
  if (directory === undefined || !isInstanceDirectory(directory)) {
    return { status: undefined, isComplete: true };
  }
  const address = await readControlAddress(directory).catch(() => "");
  const status = await stopPolitely(platform, directory);
  const steps = [
    // Side by side, as each may take its time: arcProxy has a process group of its own, and outlives a client proxy that
    // was killed.
    ...(await Promise.all([
      attempt(platform, "end the client proxy", () => end(directory)),
      attempt(platform, "end arcProxy", async () => {
        if (state.read("way") === "arc") await end(join(directory, arcProxyConfig));
      }),
    ])),
    await attempt(platform, "restore KUBECONFIG", () => restoreVariables(platform, state)),
    await attempt(platform, `delete ${directory}`, async () => {
      await removeSocket(address);
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    }),
  ];
  return { status, isComplete: steps.every((isDone) => isDone) };
}

async function end(marker: string): Promise<void> {
  if (!(await stopProcess(marker))) throw new Error("it does not end");
}

/** A process that does not answer is ended by signals; one that never came up has nothing to say. */
async function stopPolitely(platform: CiPlatform, directory: string): Promise<ControlStatus | undefined> {
  let status: ControlStatus | undefined;
  try {
    status = await askClientProxy(directory, "status", statusTimeoutMs);
    // Its answer to `stop` counts what was lost by stopping.
    return await askClientProxy(directory, "stop", stopTimeoutMs);
  } catch (error) {
    platform.log.debug(`The client proxy did not answer: ${messageOf(error)}`);
    return status;
  }
}

/**
 * Where the instance's path is too long for a socket, the client proxy makes a folder for it elsewhere, which is left
 * when it is killed. Takes away a socket and the folder that is empty without it, nothing else.
 */
async function removeSocket(address: string): Promise<void> {
  const isSocket = await lstat(address).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  await unlink(address);
  await rmdir(dirname(address)).catch(() => undefined);
}

/** Only what still names our file: a later step may have set its own. */
function restoreVariables(platform: CiPlatform, state: JobState): void {
  const ours = state.read("kubeconfigPath");
  for (const [variable, previous] of [
    ["KUBECONFIG", state.read("previousKubeconfig")],
    ["KUBE_CONFIG_PATH", state.read("previousKubeConfigPath")],
  ] as const) {
    if (ours !== undefined && platform.job.environment[variable] === ours) {
      platform.exportVariable(variable, previous ?? "");
    }
  }
}

async function attempt(
  platform: CiPlatform,
  what: string,
  action: () => Promise<void> | void,
): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    platform.log.warning(`Could not ${what}: ${messageOf(error)}`);
    return false;
  }
}
