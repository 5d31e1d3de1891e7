import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { provideBinaries } from "./binaries";
import { cacheFolder } from "./cache";
import { installDebianPackages } from "./debian";
import { removeLeftovers } from "./leftovers";
import { providePython } from "./python";
import { report } from "./report";
import { startNode, type Node } from "./start-node";
import { stateVariable, writeState } from "./state";

const repository = join(__dirname, "../../..");

/** The whole of `npm run test:cluster`; gives the exit code. */
export async function runSuite(args: readonly string[]): Promise<number> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    report("test:cluster makes namespaces and starts a kubelet: it has to be run as root on Linux");
    return 1;
  }
  await installDebianPackages();
  const binaries = await provideBinaries();
  const python = await providePython();
  removeLeftovers();
  report("starting the node");
  const stopped = stopSignal();
  const node = await startNode(binaries, python);
  try {
    const file = join(node.state.folder, "state.json");
    writeState(file, node.state);
    report(`the node is ready: ${stateVariable}=${file} KUBECONFIG=${node.state.kubeconfig}`);
    if (args.includes("--hold")) {
      await stopped.received;
      return 0;
    }
    const code = await jest(args, file, stopped.received);
    if (code !== 0) keepLogs(node);
    return code;
  } finally {
    stopped.release();
    await node.stop();
    report("the node is gone");
  }
}

async function jest(args: readonly string[], stateFile: string, stop: Promise<number>): Promise<number> {
  const config = join(repository, "test/cluster/jest.config.cjs");
  const child = spawn(
    process.execPath,
    [join(repository, "node_modules/jest/bin/jest.js"), "-c", config, "--runInBand", ...args],
    {
      cwd: repository,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, [stateVariable]: stateFile },
    },
  );
  const ended = once(child, "exit") as Promise<[number | null]>;
  const code = await Promise.race([ended.then(([status]) => status ?? 1), stop]);
  child.kill("SIGKILL");
  await ended;
  return code;
}

/** Ctrl-C and SIGTERM end the run, not the process: what was started has to be stopped first. */
function stopSignal() {
  let stop = (_code: number): void => undefined;
  const received = new Promise<number>((resolve) => {
    stop = resolve;
  });
  const onInterrupt = () => {
    stop(130);
  };
  const onTerminate = () => {
    stop(143);
  };
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  const release = () => {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  };
  return { received, release };
}

/** What the node's programs said, for whoever has to find out why a test failed. */
function keepLogs({ state }: Node): void {
  const kept = join(cacheFolder(), "last-failure");
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  cpSync(join(state.folder, "logs"), kept, { recursive: true });
  cpSync(state.auditLog, join(kept, "audit.log"));
  report(`the node's logs are in ${kept}`);
}
