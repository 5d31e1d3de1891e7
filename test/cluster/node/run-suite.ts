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
import { endStrayProcesses } from "./stray-processes";

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
  const stateFile = join(node.state.folder, "state.json");
  let code = 0;
  try {
    writeState(stateFile, node.state);
    report(`the node is ready: ${stateVariable}=${stateFile} KUBECONFIG=${node.state.kubeconfig}`);
    if (args.includes("--hold")) await stopped.received;
    else code = await jest(args, stateFile, stopped.received);
    if (code !== 0) keepLogs(node);
  } finally {
    await node.stop();
    stopped.release();
    report("the node is gone");
  }
  const strays = endStrayProcesses(stateVariable, stateFile);
  return strays > 0 && code === 0 ? 1 : code;
}

async function jest(args: readonly string[], stateFile: string, stop: Promise<number>): Promise<number> {
  const config = join(repository, "test/cluster/jest.config.cjs");
  const child = spawn(
    process.execPath,
    [join(repository, "node_modules/jest/bin/jest.js"), "-c", config, "--runInBand", ...args],
    {
      cwd: repository,
      // A group of its own: what tests have started ends with it.
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, [stateVariable]: stateFile },
    },
  );
  const ended = once(child, "exit") as Promise<[number | null]>;
  const code = await Promise.race([ended.then(([status]) => status ?? 1), stop]);
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
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
