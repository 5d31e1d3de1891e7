import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { findProcess, isOurProcess } from "../../../src/ci/process-identity";

const script = "process.stdout.write('up'); setInterval(() => undefined, 1000)";

describe("finding the process that was started", () => {
  let child: ChildProcess;
  const start = async (...args: string[]) => {
    child = spawn(process.execPath, ["-e", script, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    await once(child.stdout!, "data");
    return child.pid!;
  };
  afterEach(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  it("goes by an argument in its place, not by one that only resembles it", async () => {
    // `node -e` leaves the script itself as second argument.
    const pid = await start("/tmp/cluster-connect-1");
    expect(isOurProcess(pid, script)).toBe(true);
    expect(findProcess(script)).toBe(pid);
    expect(isOurProcess(pid, "/tmp/cluster-connect-1")).toBe(false);
    expect(isOurProcess(pid, script.slice(0, -1))).toBe(false);
  });

  it("takes a process that is no more, and a process of somebody else, for none", async () => {
    const pid = await start();
    expect(isOurProcess(process.pid, script)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isOurProcess(pid, script)).toBe(false);
    expect(findProcess(script)).toBeUndefined();
  });
});
