import { readdirSync, readFileSync } from "node:fs";
import { report } from "./report";

/**
 * Ends what a suite has left running, which is told by a variable of its environment, and says what it was. Returns
 * how many there were: a test that leaves a process behind has failed, even if it passed.
 */
export function endStrayProcesses(variable: string, value: string): number {
  const strays = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => readOf(pid, "environ").split("\0").includes(`${variable}=${value}`));
  for (const pid of strays) {
    report(`left running by the suite: ${pid} ${readOf(pid, "cmdline").replaceAll("\0", " ").slice(0, 200)}`);
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself in the meantime.
    }
  }
  return strays.length;
}

function readOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
