import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Buffer;
  /** Lets a long build show its progress instead of keeping its output. */
  readonly inherit?: boolean;
  readonly timeoutMs?: number;
}

export interface CommandResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end and reports how it ended, whatever that was. */
export function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const output = options.inherit ? ("inherit" as const) : ("pipe" as const);
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" }),
      stdio: [options.input === undefined ? "ignore" : "pipe", output, output],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    // A command may end without reading its input; its exit code tells what matters.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
  });
}

/** Runs a command that has to succeed, and returns what it printed. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout;
  const shown = [program, ...args].join(" ").slice(0, 300);
  throw new Error(`${shown}: exit code ${String(code)}\n${(stderr || stdout).slice(-4_000)}`);
}
