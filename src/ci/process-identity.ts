/**
 * Finds the process that main started by an argument that only it has, a path that nobody could guess. A process id
 * would not do: it is used again on long-lived machines, and main may be killed before it has written it down.
 */
import { readdirSync, readFileSync } from "node:fs";
import { thisMachine, type ProcessTable } from "./process-table";

/** The command lines that are meant: `node bundle marker`, or `program -c marker`, a script's interpreter before it. */
const isMarked = (words: readonly string[], marker: string): boolean =>
  words[2] === marker || (words[2] === "-c" && words[3] === marker);

/** The process's id; undefined when none runs (a zombie does not), or when nothing tells. */
export function findProcess(marker: string, table: ProcessTable = thisMachine): number | undefined {
  if (table.platform === "win32") return findOnWindows(marker, table);
  if (table.platform !== "linux") return findByPs(marker, table);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => isOurProcess(pid, marker, table));
}

/** Whether `pid` still names that process. */
export function isOurProcess(pid: number, marker: string, table: ProcessTable = thisMachine): boolean {
  if (table.platform !== "linux") return findProcess(marker, table) === pid;
  try {
    const state = /\) (\w)/.exec(readFileSync(`/proc/${String(pid)}/stat`, "utf8"))?.[1];
    const words = readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").split("\0");
    return state !== "Z" && isMarked(words, marker);
  } catch {
    return false;
  }
}

function findByPs(marker: string, table: ProcessTable): number | undefined {
  try {
    const lines = table.run("ps", ["-axww", "-o", "pid=,args="]).split("\n");
    const line = lines.find((text) => text.trimEnd().replace(/ -d$/, "").endsWith(` ${marker}`));
    return line === undefined ? undefined : Number.parseInt(line, 10);
  } catch {
    return undefined;
  }
}

/** The marker comes by the environment: as an argument it would find this very command. */
const query =
  "Get-CimInstance Win32_Process | Where-Object { $_.CommandLine -and " +
  "$_.CommandLine.TrimEnd().TrimEnd([char]34).EndsWith($env:CLUSTER_CONNECT_MARKER) } | " +
  "ForEach-Object { $_.ProcessId }";

function findOnWindows(marker: string, table: ProcessTable): number | undefined {
  try {
    const flags = ["-NoProfile", "-NonInteractive", "-Command", query];
    const pid = Number.parseInt(table.run("powershell.exe", flags, { CLUSTER_CONNECT_MARKER: marker }), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch {
    return undefined;
  }
}
