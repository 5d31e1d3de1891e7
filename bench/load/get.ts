/** GET of 1 KiB, over and over on kept connections, each sending its next request when the answer is there. */
import type { TLSSocket } from "node:tls";
import type { Endpoint } from "../paths/path";
import { percentile } from "../measure/statistics";
import { connectTo, readAnswers, requestHead } from "./http-connection";

export interface GetOptions {
  readonly endpoint: Endpoint;
  readonly connections: number;
  readonly durationMs: number;
}

export interface GetResult {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

/** Before the clock starts: compilers and windows have settled by then. */
const warmUpShare = 0.25;

export async function run({ endpoint, connections, durationMs }: GetOptions): Promise<GetResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => connectTo(endpoint)));
  const begin = performance.now() + durationMs * warmUpShare;
  const end = begin + durationMs;
  const latencies = (
    await Promise.all(sockets.map((socket) => getUntil(socket, endpoint, begin, end)))
  ).flat();
  for (const socket of sockets) socket.destroy();
  return {
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    perSecond: (latencies.length / durationMs) * 1_000,
  };
}

/** Milliseconds of each request between `begin` and `end`; at least one. */
function getUntil(socket: TLSSocket, endpoint: Endpoint, begin: number, end: number): Promise<number[]> {
  const request = Buffer.from(requestHead(endpoint, "GET /kib"));
  const latencies: number[] = [];
  return new Promise((resolve, reject) => {
    let sentAt = performance.now();
    socket.once("error", reject).once("close", () => reject(new Error("the connection was lost")));
    readAnswers(socket, () => {
      const now = performance.now();
      if (sentAt >= begin) latencies.push(now - sentAt);
      if (now >= end && latencies.length > 0) return resolve(latencies);
      sentAt = now;
      socket.write(request);
    });
    socket.write(request);
  });
}
