import type WebSocket from "ws";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { expiryOf } from "./token-expiry";

export interface RenewalOptions {
  /** What the channel was registered with. */
  readonly token: string;
  readonly authorization: () => Promise<string>;
  /** Longest time until the next renewal; a token of a shorter life is renewed after half of what is left of it. */
  readonly everyMs: () => number;
  readonly logger: Logger;
}

/** A token that is nearly over, or that its source has not replaced yet, is asked for again no sooner than this. */
const leastPeriodMs = 10_000;
const retryMs = 60_000;

/**
 * Sends a new token down a control channel before the old one ends, until the returned function is called. A renewal
 * has no answer: a token that the relay does not like shows as Close 1008.
 */
export function keepRenewing(webSocket: WebSocket, options: RenewalOptions): () => void {
  const { authorization, everyMs, logger } = options;
  let timer: NodeJS.Timeout;
  let isStopped = false;
  const schedule = (ms: number) => {
    if (!isStopped) timer = setTimeout(() => void renew(), ms);
  };
  const renew = async () => {
    try {
      const token = await authorization();
      if (isStopped) return;
      webSocket.send(JSON.stringify({ renewToken: { token } }));
      schedule(periodFor(token, everyMs()));
    } catch (error) {
      const retryInMs = Math.min(everyMs(), retryMs);
      logger.warn("relay.renewal_failed", { reason: messageOf(error), retryInMs });
      schedule(retryInMs);
    }
  };
  schedule(periodFor(options.token, everyMs()));
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

function periodFor(token: string, everyMs: number): number {
  const expiresAtMs = expiryOf(token);
  if (expiresAtMs === undefined) return everyMs;
  return Math.min(everyMs, Math.max((expiresAtMs - Date.now()) / 2, leastPeriodMs));
}
