/**
 * The processes of the machine, by what its operating system offers. None of it takes a path into a command line that
 * something parses.
 */
import { execFileSync } from "node:child_process";

export interface ProcessTable {
  readonly platform: NodeJS.Platform;
  /** Runs a program and returns what it prints; throws when it fails. */
  run(program: string, args: readonly string[], environment?: Readonly<Record<string, string>>): string;
  /** Throws when there is no such process. */
  signal(pid: number, signal: NodeJS.Signals | 0): void;
}

/** Two of them in a row, and the waits beside them, stay within the ten seconds of post. */
const programTimeoutMs = 2_000;

export const thisMachine: ProcessTable = {
  platform: process.platform,
  run: (program, args, environment = {}) =>
    execFileSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, ...environment },
      timeout: programTimeoutMs,
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    }),
  signal: (pid, signal) => void process.kill(pid, signal),
};
