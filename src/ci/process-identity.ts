/**
 * Finds the process that main started by an argument that only it has, a path that nobody could guess. A process id
 * would not do: it is used again on long-lived machines, and main may be killed before it has written it down.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Arguments are `node bundle marker`. */
const markerIndex = 2;

/** The process's id, undefined when none runs (a zombie does not) or where it cannot be told (Windows). */
export function findProcess(marker: string): number | undefined {
  if (process.platform === "win32") return undefined;
  if (process.platform !== "linux") return findByPs(marker);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => isOurProcess(pid, marker));
}

/** Whether `pid` still names that process. */
export function isOurProcess(pid: number, marker: string): boolean {
  if (process.platform !== "linux") return findProcess(marker) === pid;
  try {
    const state = /\) (\w)/.exec(readFileSync(`/proc/${String(pid)}/stat`, "utf8"))?.[1];
    const argument = readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").split("\0")[markerIndex];
    return state !== "Z" && argument === marker;
  } catch {
    return false;
  }
}

function findByPs(marker: string): number | undefined {
  try {
    const lines = execFileSync("ps", ["-axww", "-o", "pid=,args="], { encoding: "utf8" }).split("\n");
    const line = lines.find((text) => text.trimEnd().endsWith(` ${marker}`));
    return line === undefined ? undefined : Number.parseInt(line, 10);
  } catch {
    return undefined;
  }
}
