import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export const root = join(__dirname, "../..");
export const bundle = (name: string) => join(root, "dist", name, "index.js");
/**
 * The runtimes that the product promises: this machine's, and the packaged one. Not `process.execPath` alone: the
 * packaged one has a link in node_modules/.bin, which npm puts first on PATH.
 */
const bothNodes: readonly (readonly [name: string, path: string])[] = [
  ["this machine's Node", process.env["npm_node_execpath"] ?? process.execPath],
  ["Node 24", join(root, "node_modules/node-24/bin/node")],
];
/** What scripts/mutate.mjs has tried in their place: programs that run something else than the bundle they are given. */
const others = process.env["TEST_NODES"];
export const nodes = others === undefined ? bothNodes : (JSON.parse(others) as typeof bothNodes);

export interface BundleProcess {
  readonly child: ChildProcess;
  /** The fields of its `ready` line. */
  readonly ready: Record<string, unknown>;
  /** Everything that it has printed. */
  output(): string;
  /** Ends it and waits until it has. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `dist/cli` with a command and waits for its ready line. */
export async function startBundle(
  args: readonly string[],
  { node = process.execPath, env = {} }: { node?: string; env?: Record<string, string> } = {},
): Promise<BundleProcess> {
  const child = spawn(node, [bundle("cli"), ...args, "--log-format", "json"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  let output = "";
  const exited = once(child, "exit");
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${args[0]} is not ready:\n${output}`)), 15_000);
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const line = output.split("\n").find((text) => text.includes('"ready":true'));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as Record<string, unknown>);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    void exited.then(() => {
      clearTimeout(timer);
      reject(new Error(`${args[0]} ended before it was ready:\n${output}`));
    });
  });
  return {
    child,
    ready,
    output: () => output,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}
