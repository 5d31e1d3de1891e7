/** Looks for what should be gone: processes, files, ports, variables. */
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { isAlive } from "./is-alive";

export interface Remains {
  readonly process: number | undefined;
  readonly folder: string;
  readonly server: string | undefined;
  readonly kubeconfig: string | undefined;
}

/** Returns a line for each thing that is still there. */
export async function findLeftovers(remains: Remains): Promise<string[]> {
  const found: string[] = [];
  if (remains.process !== undefined && isAlive(remains.process))
    found.push(`process ${String(remains.process)}`);
  found.push(...readdirSync(remains.folder).map((name) => `file ${name}`));
  if (remains.server !== undefined && (await takesConnections(new URL(remains.server)))) {
    found.push(`port ${new URL(remains.server).port}`);
  }
  if (remains.kubeconfig !== undefined && remains.kubeconfig !== "") found.push("variable KUBECONFIG");
  return found;
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
