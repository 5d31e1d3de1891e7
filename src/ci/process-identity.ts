/** Whether a process id still names the process that we started: ids are used again on long-lived machines. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** `marker` is an argument that only our process has. A zombie is dead. False where it cannot be told. */
export function isOurProcess(pid: number, marker: string): boolean {
  try {
    if (process.platform === "linux") {
      const state = /\) (\w)/.exec(readFileSync(`/proc/${String(pid)}/stat`, "utf8"))?.[1];
      return (
        state !== "Z" &&
        readFileSync(`/proc/${String(pid)}/cmdline`, "utf8")
          .split("\0")
          .includes(marker)
      );
    }
    if (process.platform === "win32") return false;
    return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).includes(marker);
  } catch {
    return false;
  }
}
