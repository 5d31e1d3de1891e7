import type { ProcessTable } from "../../src/ci/process-table";

/** A machine of another operating system: what its programs print is scripted, what was run can be read back. */
export class ScriptedProcesses implements ProcessTable {
  readonly ran: (readonly string[])[] = [];
  readonly environments: Readonly<Record<string, string>>[] = [];
  readonly signals: [pid: number, signal: NodeJS.Signals | 0][] = [];

  constructor(
    readonly platform: NodeJS.Platform,
    /** By program: what it prints, or the error that it fails with. */
    readonly output: Readonly<Record<string, string | Error | (() => string)>>,
    /** Whether a process with this id runs. */
    private readonly runs: (pid: number) => boolean = () => false,
  ) {}

  run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
    this.ran.push([program, ...args]);
    this.environments.push(environment);
    const output = this.output[program] ?? new Error(`there is no ${program}`);
    if (output instanceof Error) throw output;
    return typeof output === "function" ? output() : output;
  }

  signal(pid: number, signal: NodeJS.Signals | 0): void {
    this.signals.push([pid, signal]);
    if (signal === 0 && !this.runs(pid)) throw new Error("ESRCH");
  }
}
