/** One process of the demo, from the same bundles that ship. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { ClusterConnectError, messageOf } from "../runtime/errors";

const readyTimeoutMs = 20_000;
/** An orderly stop waits for open links; nobody needs them any more. */
const stopTimeoutMs = 1_500;

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The fields of its `ready` line. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly hasEnded: boolean;
  stop(): Promise<void>;
}

/** Starts `node <cli bundle> args` and waits for its ready line; a child that gives none is ended. */
export async function startChild(
  name: string,
  cli: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Child> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "" },
    windowsHide: true,
    // A Ctrl-C at the terminal goes to the whole group: the demo stops its children itself, in order.
    detached: process.platform !== "win32",
  });
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    const second = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(second);
  };
  try {
    return {
      name,
      pid: child.pid ?? 0,
      ready: await awaitReady(child, signal),
      get hasEnded() {
        return child.exitCode !== null || child.signalCode !== null;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw new ClusterConnectError("ERR_UNEXPECTED", `${name}: ${messageOf(error)}`, {
      cause: error,
      hop: "demo",
    });
  }
}

function awaitReady(child: ChildProcess, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    let output = "";
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (why: string) => {
      settle();
      reject(new Error(`${why}\n${output}`.trimEnd()));
    };
    const onAbort = () => fail("interrupted");
    const timer = setTimeout(() => fail("did not start in time"), readyTimeoutMs);
    signal.addEventListener("abort", onAbort);
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const line = output.split("\n").find((text) => text.includes('"ready":true'));
      if (line === undefined) return;
      settle();
      child.stdout?.off("data", take).resume();
      child.stderr?.off("data", take).resume();
      resolve(JSON.parse(line) as Record<string, unknown>);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => fail("ended at once"));
  });
}
