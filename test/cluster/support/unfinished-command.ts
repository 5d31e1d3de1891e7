/** A kubectl command that would go on for ever: what matters is how it ends when its connection is lost. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { eventually } from "../node";

export interface UnfinishedCommand {
  readonly name: string;
  /** Resolves with the exit code; `null` is never one, since nobody but the connection ends it. */
  readonly exit: Promise<number | null>;
  /** What it has printed so far, on either channel. */
  readonly output: () => string;
  /** For a command that should have ended by itself, and has not. */
  kill(): void;
}

export interface UnfinishedCommandOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Whether it has come so far that it is truly under way. */
  readonly isUnderWay: (output: string) => boolean | Promise<boolean>;
}

/** Starts it and resolves once it is under way; throws when it ends before. */
export async function startUnfinishedCommand(options: UnfinishedCommandOptions): Promise<UnfinishedCommand> {
  const { name, program, args, env, isUnderWay } = options;
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const exit = once(child, "close").then(([code]) => code as number | null);
  const kill = () => child.kill("SIGKILL");
  try {
    await eventually(`${name} under way`, 20_000, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${String(child.exitCode)} ${output}`);
      return (await isUnderWay(output)) || undefined;
    });
  } catch (error) {
    kill();
    throw error;
  }
  return { name, exit, output: () => output, kill };
}

export const hasPrinted = (output: string): boolean | Promise<boolean> => output !== "";

/** Whether a local file has begun to grow. */
export function hasBytes(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
