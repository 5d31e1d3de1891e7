/** Ends the process that main started, with all that it has started itself, however deaf it is. */
import { delay } from "../runtime/delay";
import { findProcess, isOurProcess } from "./process-identity";
import { thisMachine, type ProcessTable } from "./process-table";

const killSteps = [
  ["SIGTERM", 2_000],
  ["SIGKILL", 1_000],
] as const;
const treeEndsWithinMs = 1_000;
const pollMs = 20;

/** Resolves with whether it is gone. `marker`: the argument that only it has. */
export async function stopProcess(marker: string, table: ProcessTable = thisMachine): Promise<boolean> {
  const pid = findProcess(marker, table);
  if (pid === undefined) return true;
  return table.platform === "win32" ? stopOnWindows(pid, table) : stopGroup(pid, marker, table);
}

/** It leads a process group of its own. */
async function stopGroup(pid: number, marker: string, table: ProcessTable): Promise<boolean> {
  for (const [signal, waitMs] of killSteps) {
    try {
      table.signal(-pid, signal);
    } catch {
      // Gone between the look and the signal.
    }
    if (await isGone(() => isOurProcess(pid, marker, table), waitMs)) return true;
  }
  return false;
}

/** There are neither groups nor signals: the tree is ended outright, after the control endpoint was asked in vain. */
async function stopOnWindows(pid: number, table: ProcessTable): Promise<boolean> {
  try {
    table.run("taskkill.exe", ["/PID", String(pid), "/T", "/F"]);
  } catch {
    // It may have ended between the look and this.
  }
  return isGone(() => exists(pid, table), treeEndsWithinMs);
}

function exists(pid: number, table: ProcessTable): boolean {
  try {
    table.signal(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function isGone(isThere: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isThere()) {
    if (performance.now() > deadline) return false;
    await delay(pollMs);
  }
  return true;
}
