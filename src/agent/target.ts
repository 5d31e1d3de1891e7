/** The one place that the agent connects to on behalf of others, named by its own configuration alone. */
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Target } from "./settings";

const keepAliveMs = 30_000;

/** Connects; the socket is paused. Rejects with ERR_AGENT_TARGET_UNREACHABLE. */
export function connectTarget(target: Target, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      "socket" in target
        ? connect({ path: target.socket, allowHalfOpen: true })
        : connect({
            host: target.host,
            port: target.port,
            allowHalfOpen: true,
            // Across a network, a peer that is gone says nothing.
            keepAlive: true,
            keepAliveInitialDelay: keepAliveMs,
          });
    const fail = (error: Error) => {
      socket.destroy();
      reject(new ClusterConnectError("ERR_AGENT_TARGET_UNREACHABLE", error.message, { cause: error }));
    };
    const timer = setTimeout(
      () => fail(new Error(`no connection within ${String(timeoutMs)} ms`)),
      timeoutMs,
    );
    socket.once("error", fail);
    socket.once("close", () => clearTimeout(timer));
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.pause();
      resolve(socket);
    });
  });
}

/** PEM of the CAs that sign the target's certificate, read anew for each session since they may rotate. */
export async function readTargetCa(target: Target): Promise<string> {
  const path = target.caFile ?? ("socket" in target ? `${target.socket}.ca.pem` : "");
  let pem: string;
  try {
    pem = await readFile(path, "utf8");
  } catch (error) {
    throw new ClusterConnectError("ERR_AGENT_TARGET_UNREACHABLE", messageOf(error), { cause: error });
  }
  if (pem.includes("PRIVATE KEY") || !pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new ClusterConnectError("ERR_AGENT_TARGET_UNREACHABLE", `${path} does not hold certificates alone`);
  }
  return pem;
}

/** Throws ERR_AGENT_TARGET_UNREACHABLE unless the target takes a connection and its CA can be read. */
export async function probeTarget(target: Target, timeoutMs: number): Promise<void> {
  await readTargetCa(target);
  const socket = await connectTarget(target, timeoutMs);
  socket.destroy();
}
