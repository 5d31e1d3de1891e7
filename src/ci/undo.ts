/** Undoes what main has done: used by post, and by main itself when it fails. Never throws. */
import { rm } from "node:fs/promises";
import type { ControlStatus } from "../client-proxy/control";
import { messageOf } from "../runtime/errors";
import { killClientProxy } from "./client-proxy-process";
import { askClientProxy } from "./control-client";
import { JobState } from "./job-state";
import type { CiPlatform } from "./platform";

const statusTimeoutMs = 1_000;
const stopTimeoutMs = 4_000;

/** Returns the last status of the client proxy, if it still answered. */
export async function undo(platform: CiPlatform): Promise<ControlStatus | undefined> {
  const state = new JobState(platform);
  const directory = state.read("instanceDirectory");
  if (directory === undefined) return undefined;
  let status: ControlStatus | undefined;
  await attempt(platform, "ask the client proxy", async () => {
    status = await askClientProxy(directory, "status", statusTimeoutMs);
    await askClientProxy(directory, "stop", stopTimeoutMs);
  });
  const pid = Number(state.read("pid") ?? 0);
  await attempt(platform, "end the client proxy", async () => {
    if (pid > 0 && !(await killClientProxy(pid, directory)))
      throw new Error(`process ${String(pid)} does not end`);
  });
  await attempt(platform, "restore KUBECONFIG", () => restoreVariables(platform, state));
  await attempt(platform, "delete the folder", () =>
    rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  );
  return status;
}

/** Only what still names our file: a later step may have set its own. */
function restoreVariables(platform: CiPlatform, state: JobState): Promise<void> {
  const ours = state.read("kubeconfigPath");
  for (const [variable, previous] of [
    ["KUBECONFIG", state.read("previousKubeconfig")],
    ["KUBE_CONFIG_PATH", state.read("previousKubeConfigPath")],
  ] as const) {
    if (ours !== undefined && platform.job.environment[variable] === ours) {
      platform.exportVariable(variable, previous ?? "");
    }
  }
  return Promise.resolve();
}

async function attempt(platform: CiPlatform, what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    platform.log.debug(`Could not ${what}: ${messageOf(error)}`);
  }
}
