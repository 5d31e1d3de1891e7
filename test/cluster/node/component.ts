import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, closeSync, readdirSync, readFileSync } from "node:fs";
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

/**
 * A zombie counts as gone, since its sockets and files are closed, but only once its first thread is the last one:
 * that one is a zombie as soon as it has ended, while others may still hold the port that a successor wants.
 */
function isGone(pid: number): true | undefined {
  const directory = `/proc/${String(pid)}`;
  if (!existsSync(directory)) return true;
  const isZombie = / Z /.test(readFileSync(`${directory}/stat`, "utf8"));
  return isZombie && readdirSync(`${directory}/task`).length === 1 ? true : undefined;
}

export const lastLines = (logFile: string, count = 15): string =>
  existsSync(logFile) ? readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-count).join("\n") : "";
