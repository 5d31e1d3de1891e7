/** Opens TLS connections, ends each as soon as it is up, and counts them. */
import { once } from "node:events";
import type { Endpoint } from "../paths/path";
import { connectTo } from "./http-connection";

export interface NewConnectionsOptions {
  readonly endpoint: Endpoint;
  /** This many are being opened at a time. */
  readonly concurrency: number;
  readonly durationMs: number;
}

export async function run(options: NewConnectionsOptions): Promise<{ perSecond: number }> {
  const { endpoint, concurrency, durationMs } = options;
  const started = performance.now();
  const end = started + durationMs;
  let opened = 0;
  const openUntilEnd = async () => {
    while (performance.now() < end) {
      const socket = await connectTo(endpoint);
      opened += 1;
      const closed = once(socket, "close");
      socket.resume().end();
      await closed;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, openUntilEnd));
  return { perSecond: (opened / (performance.now() - started)) * 1_000 };
}
