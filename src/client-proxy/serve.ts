/** The detached process: its settings come over stdin, it lives until it is told to stop. */
import { asClusterConnectError, ClusterConnectError } from "../runtime/errors";
import { leaveRoomForBuffers } from "../runtime/garbage-collection";
import { createLogger } from "../runtime/logger";
import { validateSettings } from "../runtime/settings";
import { ClientProxy } from "./client-proxy";
import { startRequest, type ControlRequest, type ControlStatus } from "./control";
import { ControlEndpoint } from "./control-endpoint";

const maxRequestBytes = 1_048_576;
const startTimeoutMs = 10_000;

/** Reads one StartRequest from stdin and serves it. Resolves with the exit code. */
export async function serve(): Promise<number> {
  leaveRoomForBuffers();
  let logger = createLogger();
  try {
    const request = validateSettings(parseRequest(await readStdin()), startRequest, "start request");
    logger = createLogger({ level: request.logLevel });
    const proxy = new ClientProxy(request, logger);
    let stop: () => void = () => undefined;
    const stopping = new Promise<void>((resolve) => (stop = resolve));
    process.once("SIGTERM", stop).once("SIGINT", stop);
    const answer = async (
      command: ControlRequest["command"],
      closed: AbortSignal,
    ): Promise<ControlStatus> => {
      if (command === "wait") await proxy.phase.settled(closed);
      if (command === "stop") {
        await proxy.stop();
        stop();
      }
      return proxy.status();
    };
    const endpoint = new ControlEndpoint({ instanceDirectory: request.instanceDirectory, handle: answer });
    await endpoint.start();
    await Promise.race([proxy.start(), stopping]);
    await stopping;
    await proxy.stop();
    await endpoint.close();
    logger.info("stopped");
    return 0;
  } catch (error) {
    const failure = asClusterConnectError(error, "client proxy");
    logger.error("start.failed", { code: failure.code, reason: failure.message });
    return 1;
  }
}

/** What JSON.parse says of a text that is none quotes it, and this one holds secrets. */
function parseRequest(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ClusterConnectError("ERR_SETTINGS_INVALID", "the start request is not JSON");
  }
}

/** Over stdin, because a command line and an environment can be read by others. */
async function readStdin(): Promise<string> {
  const timer = setTimeout(
    () => process.stdin.destroy(new ClusterConnectError("ERR_SETTINGS_INVALID", "no start request in time")),
    startTimeoutMs,
  );
  let text = "";
  try {
    for await (const chunk of process.stdin.setEncoding("utf8")) {
      text += chunk as string;
      if (text.length > maxRequestBytes) {
        throw new ClusterConnectError("ERR_SETTINGS_INVALID", "the start request is too long");
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return text;
}
