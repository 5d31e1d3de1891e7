import type { ConnectionFacts, ControlRequest, ControlStatus } from "../client-proxy/control";
import { delay } from "../runtime/delay";
import { ClusterConnectError } from "../runtime/errors";
import type { StartedProcess } from "./client-proxy-process";
import { askClientProxy } from "./control-client";

export interface Awaited {
  readonly instanceDirectory: string;
  readonly child: StartedProcess;
  readonly timeoutMs: number;
  /** Told whenever something else stands in the way than before; nobody likes a silent minute. */
  readonly onObstacle: (obstacle: ClusterConnectError) => void;
  /** How often to look what stands in the way. */
  readonly lookMs?: number;
}

/** Until the process has made its endpoint. */
const pollMs = 15;
const defaultLookMs = 2_000;
/** Beyond the end of the time, if need be: what stands in the way is worth it. */
const statusTimeoutMs = 1_000;

/** Waits until the client proxy has proved the connection. Throws what stood in the way. */
export async function awaitConnection(options: Awaited): Promise<ConnectionFacts> {
  const { child, timeoutMs, onObstacle, lookMs = defaultLookMs } = options;
  const deadline = performance.now() + timeoutMs;
  const leftMs = () => Math.max(1, deadline - performance.now());
  let last: ControlStatus | undefined;
  while (child.ended === undefined && performance.now() < deadline) {
    const status =
      (await ask(options, "wait", Math.min(lookMs, leftMs()))) ??
      (await ask(options, "status", statusTimeoutMs));
    if (status === undefined) {
      await delay(Math.min(pollMs, leftMs()));
      continue;
    }
    if (status.phase === "ready" && status.connection !== undefined) return status.connection;
    const obstacle = failureOf(status);
    if (status.phase === "failed" && obstacle !== undefined) throw obstacle;
    if (status.phase !== "connecting") throw gone(child, status);
    if (obstacle !== undefined && obstacle.code !== last?.failure?.code) onObstacle(obstacle);
    last = status;
  }
  throw child.ended === undefined ? outOfTime(last, timeoutMs) : gone(child, last);
}

/** Undefined when there was no answer: no endpoint yet, or none any more, or still connecting. */
const ask = (
  { instanceDirectory }: Awaited,
  command: ControlRequest["command"],
  ms: number,
): Promise<ControlStatus | undefined> =>
  askClientProxy(instanceDirectory, command, ms).catch(() => undefined);

function gone(child: StartedProcess, heard: ControlStatus | undefined): ClusterConnectError {
  const code = heard === undefined ? "ERR_CI_START_FAILED" : "ERR_CI_CLIENT_PROXY_GONE";
  return new ClusterConnectError(code, child.ended ?? "it was told to stop");
}

/** What stands in the way at the end of the time is what to tell, not that time is over. */
function outOfTime(status: ControlStatus | undefined, timeoutMs: number): ClusterConnectError {
  const seconds = `gave up after ${String(timeoutMs / 1_000)} s`;
  const { code = "ERR_CI_TIMEOUT", detail = "", hop } = status?.failure ?? {};
  return new ClusterConnectError(code, detail === "" ? seconds : `${detail}; ${seconds}`, { hop });
}

const failureOf = ({ failure }: ControlStatus): ClusterConnectError | undefined =>
  failure === undefined
    ? undefined
    : new ClusterConnectError(failure.code, failure.detail, { hop: failure.hop });
