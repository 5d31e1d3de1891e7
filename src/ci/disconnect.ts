/** The post step: nothing is left, and a job never fails for it. */
import { messageOf } from "../runtime/errors";
import { JobState } from "./job-state";
import type { CiPlatform } from "./platform";
import { readLogTails, showLogTails } from "./process-log";
import { renderSummary } from "./summary";
import { undo } from "./undo";

/** Never rejects. Without state, because main never ran, it does nothing. */
export async function disconnect(platform: CiPlatform): Promise<void> {
  const state = new JobState(platform);
  const directory = state.read("instanceDirectory");
  if (directory === undefined) {
    platform.log.debug("Nothing was started, so there is nothing to undo.");
    return;
  }
  try {
    const tails = await readLogTails(directory);
    const { status, isComplete } = await undo(platform);
    if (isComplete) platform.log.info("Disconnected: process, files and variables are gone.");
    const connectedAt = state.read("connectedAt");
    // When main has failed, it has told why, and undone everything itself.
    if (connectedAt === undefined) return;
    const lost = status?.statistics.lostStreams ?? 0;
    if (status === undefined) {
      platform.log.warning(
        "The client proxy had ended before the post step: steps after that had no connection. Its log follows.",
      );
    } else if (lost > 0) {
      platform.log.warning(`${String(lost)} of ${String(status.statistics.streams)} connections were lost.`);
    }
    if (status === undefined || lost > 0 || platform.job.isDebug) showLogTails(platform.log, tails);
    if (status !== undefined && state.read("summary") === "true") {
      const clusterName = state.read("clusterName") ?? "";
      const connectedMs = Date.now() - Number(connectedAt);
      await platform.writeSummary(renderSummary({ clusterName, connectedMs, status }));
    }
  } catch (error) {
    platform.log.warning(`The post step could not finish: ${messageOf(error)}`);
  }
}
