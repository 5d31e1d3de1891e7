import { readdirSync, readFileSync } from "node:fs";

/** Processes whose environment holds `RUNNER_TRACKING_ID=id`; a zombie is none. What the runner sweeps by. */
export function processesOf(trackingId: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, "utf8")
            .split("\0")
            .includes(`RUNNER_TRACKING_ID=${trackingId}`) &&
          !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
