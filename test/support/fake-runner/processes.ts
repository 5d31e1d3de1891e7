import { readdirSync, readFileSync } from "node:fs";

/** Processes whose environment holds `NAME=value`; a zombie is none. What runner and agent sweep by. */
export function processesOf(variable: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable) &&
          !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
