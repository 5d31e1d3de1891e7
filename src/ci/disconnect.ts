/** The post step: nothing is left, and a job never fails for it. */
import { messageOf } from "../runtime/errors";
import { JobState } from "./job-state";
import type { CiPlatform } from "./platform";
import { renderSummary } from "./summary";
import { undo } from "./undo";

export async function disconnect(platform: CiPlatform): Promise<void> {
  const state = new JobState(platform);
  if (state.read("instanceDirectory") === undefined) {
    platform.log.debug("Nothing was started, so there is nothing to undo.");
    return;
  }
  try {
    const wasConnected = state.read("kubeconfigPath") !== undefined;
    const status = await undo(platform);
    if (status === undefined && wasConnected) {
      platform.log.warning(
        "The client proxy had ended before the post step: steps after that had no connection.",
      );
    }
    if (status === undefined) return;
    const { lostStreams, streams } = status.statistics;
    if (lostStreams > 0)
      platform.log.warning(`${String(lostStreams)} of ${String(streams)} connections were lost.`);
    if (state.read("summary") === "true" && wasConnected) await platform.writeSummary(renderSummary(status));
    platform.log.info("Disconnected: process, files and variables are gone.");
  } catch (error) {
    platform.log.warning(`The post step could not finish: ${messageOf(error)}`);
  }
}
