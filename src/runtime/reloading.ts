import { messageOf } from "./errors";
import type { Logger } from "./logger";

export interface ReloadingOptions {
  /** What is reloaded, for events: `NAME.reloaded`, `NAME.reload_failed`. */
  readonly name: string;
  /** Everything that the result depends on, as one text. Contents, not times: a change may swap symbolic links. */
  readonly read: () => string;
  /** Takes the change up, whole or, by throwing, not at all. */
  readonly apply: () => void;
  readonly everyMs: number;
  readonly logger: Logger;
  readonly onOutcome: (succeeded: boolean) => void;
}

/**
 * Looks for changes and takes them up. What cannot be taken up leaves in use what was there, and says so once; it is
 * tried again when it changes again. Returns how to stop.
 */
export function startReloading({
  name,
  read,
  apply,
  everyMs,
  logger,
  onOutcome,
}: ReloadingOptions): () => void {
  let seen = read();
  let failure = "";
  const look = () => {
    try {
      const now = read();
      if (now === seen) return;
      seen = now;
      apply();
      failure = "";
      logger.info(`${name}.reloaded`, {});
      onOutcome(true);
    } catch (error) {
      const reason = messageOf(error);
      if (reason === failure) return;
      failure = reason;
      logger.error(`${name}.reload_failed`, { reason, oldKept: true });
      onOutcome(false);
    }
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
