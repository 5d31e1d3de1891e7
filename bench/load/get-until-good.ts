/** Asks on a new connection, again and again, until an answer has come; what kubectl run anew would do. */
import { once } from "node:events";
import type { Endpoint } from "../paths/path";
import { connectTo, readAnswers, requestHead } from "./http-connection";

const pauseMs = 5;
const attemptMs = 6_000;

export async function untilGood(endpoint: Endpoint): Promise<void> {
  for (;;) {
    try {
      return await getOnce(endpoint);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function getOnce(endpoint: Endpoint): Promise<void> {
  const socket = await connectTo(endpoint);
  try {
    socket.setTimeout(attemptMs, () => socket.destroy(new Error("no answer in time")));
    socket.write(requestHead(endpoint, "GET /kib"));
    await Promise.race([
      new Promise<void>((resolve) => readAnswers(socket, resolve)),
      once(socket, "close").then(() => Promise.reject(new Error("the connection was lost"))),
    ]);
  } finally {
    socket.destroy();
  }
}
