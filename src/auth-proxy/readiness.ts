import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";

export interface Readiness {
  /** Why requests would fail now, or undefined. */
  readonly unreadyReason: string | undefined;
  stop(): void;
}

/** Asks at intervals whether the apiserver answers; unready until it first has. */
export function startReadinessProbe(probe: () => Promise<void>, everyMs: number, logger: Logger): Readiness {
  let unreadyReason: string | undefined = "the apiserver has not answered yet";
  let isRunning = false;
  const check = async () => {
    if (isRunning) return;
    isRunning = true;
    try {
      await probe();
      if (unreadyReason !== undefined) logger.info("apiserver.answers");
      unreadyReason = undefined;
    } catch (error) {
      if (unreadyReason === undefined) logger.warn("apiserver.unreachable", { reason: messageOf(error) });
      unreadyReason = `apiserver: ${messageOf(error)}`;
    } finally {
      isRunning = false;
    }
  };
  void check();
  const timer = setInterval(() => void check(), everyMs);
  return {
    get unreadyReason() {
      return unreadyReason;
    },
    stop: () => clearInterval(timer),
  };
}
