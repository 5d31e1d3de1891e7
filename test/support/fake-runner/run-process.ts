import { spawn } from "node:child_process";
import { once } from "node:events";

export interface ProcessRun {
  readonly node: string;
  readonly bundle: string;
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** Resolves when the step is cancelled. */
  readonly cancelAfter?: Promise<unknown> | undefined;
  /** Not cancelled but killed, as by the kernel for want of memory. */
  readonly kill?: boolean | undefined;
}

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** Whether something kept the output open after the process had ended, so that the runner had to cut it off. */
  readonly keptOutputOpen: boolean;
}

/** The runner's own times, SIGINT 7.5 s before SIGTERM and that 2.5 s before SIGKILL, a tenth of each. */
const cancelSteps = [
  ["SIGINT", 750],
  ["SIGTERM", 250],
  ["SIGKILL", 0],
] as const;
/** How long the runner waits for the end of the output. */
const outputGraceMs = 5_000;

export async function runProcess(run: ProcessRun): Promise<ProcessEnd> {
  const child = spawn(run.node, [run.bundle], {
    cwd: run.cwd,
    env: run.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  void run.cancelAfter?.then(async () => {
    for (const [signal, waitMs] of run.kill === true ? ([["SIGKILL", 0]] as const) : cancelSteps) {
      if (hasEnded()) return;
      child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  });
  let keptOutputOpen = false;
  let timer: NodeJS.Timeout | undefined;
  child.once("exit", () => {
    timer = setTimeout(() => {
      keptOutputOpen = true;
      child.stdout.destroy();
      child.stderr.destroy();
    }, outputGraceMs);
  });
  await once(child, "close");
  clearTimeout(timer);
  return { exitCode: child.exitCode, signal: child.signalCode, output, keptOutputOpen };
}
