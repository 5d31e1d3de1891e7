import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, closeSync, readFileSync } from "node:fs";
import { eventually } from "./deadline";
import { firstChildOf, inside } from "./namespaces";

/** One program of the node, as it can be started again by whoever has read this. */
export interface Component {
  readonly name: string;
  readonly argv: readonly string[];
  readonly logFile: string;
}

/**
 * Starts the program inside and returns its process id as this machine numbers it. The program outlives its starter
 * and ends with the node: a test may start one too.
 */
export async function startComponent(init: number, { argv, logFile }: Component): Promise<number> {
  const log = openSync(logFile, "a");
  const [program = "", ...enter] = inside(init);
  const starter = spawn(program, [...enter, ...argv], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  starter.unref();
  await once(starter, "spawn");
  return eventually(`${argv[0] ?? ""} started inside`, 5_000, () => {
    if (starter.exitCode !== null) throw new Error(lastLines(logFile));
    return firstChildOf(starter.pid);
  });
}

export async function killComponent(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  await eventually(`process ${String(pid)} gone`, 30_000, () => isGone(pid));
}

/** A zombie counts as gone: its sockets and files are closed. */
function isGone(pid: number): true | undefined {
  if (!existsSync(`/proc/${String(pid)}`)) return true;
  return / Z /.test(readFileSync(`/proc/${String(pid)}/stat`, "utf8")) ? true : undefined;
}

export const lastLines = (logFile: string, count = 15): string =>
  existsSync(logFile) ? readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-count).join("\n") : "";
