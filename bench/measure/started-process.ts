/** A process under measurement: started from a bundle or from this folder, asked for its CPU time and memory. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A load is ready when it is done. */
const readyTimeoutMs = 120_000;
/** Of what a process has said, the end is kept for an error's sake. */
const keptOutput = 4_096;
/** Linux' USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** None outlives this process, however it ends. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface StartedProcess {
  readonly pid: number;
  /** The fields of its `ready` line. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** User and system time since its start, from /proc. */
  cpuSeconds(): number;
  /** Resident memory, from /proc. */
  residentKiB(): number;
  /** For a module of this folder: hands it a question, and resolves with the answer. */
  ask(question: string): Promise<unknown>;
  /** Kills it, and resolves once it is gone: an orderly stop may wait for open streams. */
  kill(): Promise<void>;
}

/** Runs `node args`, hands it `input` over stdin, and resolves with its first line that says `"ready":true`. */
async function startProcess(args: readonly string[], input = "", withIpc = false): Promise<StartedProcess> {
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "pipe", ...(withIpc ? ["ipc" as const] : [])],
    env: { PATH: process.env["PATH"] ?? "" },
  });
  const exited = once(child, "exit");
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.stdin?.on("error", () => undefined).end(input);
  const pid = child.pid ?? 0;
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited;
  };
  try {
    const ready = await readyLine(child);
    return {
      pid,
      ready,
      cpuSeconds: () => cpuSecondsOf(pid),
      residentKiB: () => residentKiBOf(pid),
      async ask(question) {
        child.send(question);
        const [answer] = (await once(child, "message")) as [unknown];
        return answer;
      },
      kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** A module of this folder as a process, see process.cjs. */
export const startModule = (module: string, options: unknown): Promise<StartedProcess> =>
  startProcess([join(__dirname, "../process.cjs"), module], JSON.stringify(options), true);

/** A command of the shipped bundle as a process. */
export const startBundle = (args: readonly string[]): Promise<StartedProcess> =>
  startProcess([join(__dirname, "../../dist/cli/index.js"), ...args, "--log-format", "json"]);

function readyLine(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (why: string) =>
      reject(new Error(`${child.spawnargs.slice(1).join(" ")} ${why}: ${output.slice(-keptOutput)}`));
    const timer = setTimeout(() => fail("was not ready in time"), readyTimeoutMs);
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const line = output.split("\n").find((text) => text.includes('"ready":true') && text.endsWith("}"));
      if (line === undefined) return;
      clearTimeout(timer);
      // From here on its log is read and dropped: who reads it must not be what is measured.
      for (const stream of [child.stdout, child.stderr]) stream?.off("data", take).resume();
      resolve(JSON.parse(line) as Record<string, unknown>);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", take);
    child.once("error", (error) => fail(error.message));
    child.once("exit", () => {
      clearTimeout(timer);
      fail("ended before it was ready");
    });
  });
}

/** proc(5): the fields after the command's name, which may hold blanks; utime and stime are the 14th and 15th. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function residentKiBOf(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN);
}
