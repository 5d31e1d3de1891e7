/** The life of a foreground process: start, one line that says it can serve, run, stop in order on a signal. */
import { asClusterConnectError } from "./errors";
import type { Hop } from "./errors/entry";
import { leaveRoomForBuffers } from "./garbage-collection";
import { createLogger, type LogFormat, type LogLevel, type Logger } from "./logger";
import { Shutdown } from "./shutdown";

export interface ProcessContext {
  readonly logger: Logger;
  readonly shutdown: Shutdown;
  /** Ends the process in order, as a signal would; for conditions that it cannot outlive. */
  readonly stop: (reason: string) => void;
}

export interface ProcessOptions {
  readonly name: string;
  /** What an unexpected failure of this process names as its place. */
  readonly hop: Hop;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** How long one step of an orderly stop may take. */
  readonly stopStepMs?: number;
}

/**
 * Runs `start`, logs `ready` with the fields it returns (`"ready":true` among them), waits for SIGTERM or SIGINT,
 * stops in reverse order. Resolves with the exit code; the caller sets it.
 */
export async function runProcess(
  options: ProcessOptions,
  start: (context: ProcessContext) => Promise<Readonly<Record<string, unknown>>>,
): Promise<number> {
  const logger = createLogger({ level: options.logLevel, format: options.logFormat }).child({
    process: options.name,
  });
  leaveRoomForBuffers();
  const shutdown = new Shutdown(logger);
  let stop: (reason: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => (stop = resolve));
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1;
    // An orderly stop may take an hour (open links); whoever asks twice does not want to wait for it.
    if (signals > 1) process.exit(1);
    stop(signal);
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  try {
    const ready = await Promise.race([start({ logger, shutdown, stop }), stopped]);
    if (typeof ready !== "string") {
      logger.info("ready", { ready: true, ...ready });
      logger.info("stopping", { reason: await stopped });
    }
    return 0;
  } catch (error) {
    const failure = asClusterConnectError(error, options.hop);
    logger.error("start.failed", { code: failure.code, hop: failure.hop, message: failure.explain() });
    return 1;
  } finally {
    await shutdown.run(options.stopStepMs);
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
    logger.info("stopped");
  }
}
