/** One process of the demo, from the same bundles that ship. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { ClusterConnectError } from "../runtime/errors";

const readyTimeoutMs = 20_000;

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** The fields of its `ready` line. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly hasEnded: boolean;
  stop(): Promise<void>;
}

/** Starts `node <cli bundle> args` and waits for its ready line. */
export async function startChild(name: string, cli: string, args: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "" },
    windowsHide: true,
    // A Ctrl-C at the terminal goes to the whole group: the demo stops its children itself, in order.
    detached: process.platform !== "win32",
  });
  const exited = once(child, "exit");
  const ready = await awaitReady(name, child);
  return {
    name,
    pid: child.pid ?? 0,
    ready,
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async stop() {
      // Twice: an orderly stop waits for open links, and nobody needs them any more.
      child.kill("SIGTERM");
      const second = setTimeout(() => child.kill("SIGKILL"), 1_500);
      await exited;
      clearTimeout(second);
    },
  };
}

function awaitReady(name: string, child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(new ClusterConnectError("ERR_UNEXPECTED", `${name} ${why}\n${output}`));
    };
    const timer = setTimeout(() => fail("did not start in time"), readyTimeoutMs);
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const line = output.split("\n").find((text) => text.includes('"ready":true'));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as Record<string, unknown>);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => {
      clearTimeout(timer);
      fail("ended at once");
    });
  });
}
