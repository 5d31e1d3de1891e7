import type { ConnectionFacts, ControlStatus } from "../client-proxy/control";
import { delay } from "../runtime/delay";
import { ClusterConnectError } from "../runtime/errors";
import type { StartedProcess } from "./client-proxy-process";
import { askClientProxy } from "./control-client";

const pollMs = 15;

/** Waits until the client proxy has proved the connection. Throws what stood in the way. */
export async function awaitConnection(
  instanceDirectory: string,
  child: StartedProcess,
  timeoutMs: number,
): Promise<ConnectionFacts> {
  const deadline = performance.now() + timeoutMs;
  let isAlive = true;
  void child.ended.then(() => (isAlive = false));
  let heard = false;
  while (isAlive && performance.now() < deadline) {
    try {
      const status = await askClientProxy(instanceDirectory, "wait", deadline - performance.now());
      heard = true;
      if (status.phase === "ready" && status.connection !== undefined) return status.connection;
      throw failureOf(status);
    } catch (error) {
      if (error instanceof ClusterConnectError) throw error;
      // The endpoint is not there yet, or has gone with its process.
      await delay(Math.max(0, Math.min(pollMs, deadline - performance.now())));
    }
  }
  if (!isAlive) throw new ClusterConnectError(heard ? "ERR_CI_CLIENT_PROXY_GONE" : "ERR_CI_START_FAILED");
  throw await timeoutError(instanceDirectory, timeoutMs);
}

/** What stands in the way at the end of the time is what to tell, not that time is over. */
async function timeoutError(instanceDirectory: string, timeoutMs: number): Promise<ClusterConnectError> {
  const seconds = `after ${String(timeoutMs / 1_000)} s`;
  const status = await askClientProxy(instanceDirectory, "status", 1_000).catch(() => undefined);
  if (status?.failure === undefined) return new ClusterConnectError("ERR_CI_TIMEOUT", `gave up ${seconds}`);
  const { code, detail } = status.failure;
  return new ClusterConnectError(code, `${detail === "" ? "" : `${detail}; `}gave up ${seconds}`);
}

function failureOf({ failure, phase }: ControlStatus): ClusterConnectError {
  return failure === undefined
    ? new ClusterConnectError("ERR_CI_CLIENT_PROXY_GONE", phase)
    : new ClusterConnectError(failure.code, failure.detail);
}
