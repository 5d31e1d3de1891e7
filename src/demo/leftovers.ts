/** Looks for what should be gone: processes, files, ports, variables. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { isAlive } from "./is-alive";
import type { Runner } from "./runner";

/** Returns a line for each thing that the job has left after its post step. */
export async function leftOfJob({ environment, outputs, temp, trackingId }: Runner): Promise<string[]> {
  const variables = ["KUBECONFIG", "KUBE_CONFIG_PATH"].filter((name) => (environment[name] ?? "") !== "");
  const server = outputs["server"];
  return [
    ...processesOf(trackingId, temp).map((pid) => `process ${String(pid)}`),
    ...readdirSync(temp, { recursive: true, encoding: "utf8" }).map((name) => `file ${name}`),
    ...(server === undefined ? [] : await open([server])),
    ...variables.map((name) => `variable ${name}`),
  ];
}

/** Returns a line for each thing that the installation has left after it was stopped. */
export async function leftOfInstallation(
  pids: readonly number[],
  addresses: readonly string[],
  folder: string,
): Promise<string[]> {
  return [
    ...pids.filter(isAlive).map((pid) => `process ${String(pid)}`),
    ...(existsSync(folder) ? [`folder ${folder}`] : []),
    ...(await open(addresses)),
  ];
}

/** The job's processes: those that carry its tracking id, or, where only arguments can be seen, name its folder. */
function processesOf(trackingId: string, folder: string): number[] {
  if (process.platform === "win32") return [];
  if (process.platform === "linux") {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => isAlive(pid) && environmentOf(pid).includes(`RUNNER_TRACKING_ID=${trackingId}`));
  }
  return execFileSync("ps", ["-axww", "-o", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(folder))
    .map((line) => Number.parseInt(line, 10));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

async function open(addresses: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    addresses.map(async (address) => ((await takesConnections(new URL(address))) ? [address] : [])),
  );
  return found.flat().map((address) => `port ${new URL(address).port}`);
}

function takesConnections(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
