/** Many watches, each on a connection of its own; on `event`, one event to all of them. */
import type { TLSSocket } from "node:tls";
import type { Endpoint } from "../paths/path";
import { connectTo, readAnswers, requestHead } from "./http-connection";

export interface WatchesOptions {
  readonly endpoint: Endpoint;
  /** The target itself, where the event is made. */
  readonly direct: Endpoint;
  readonly watches: number;
}

/** Connections that are being opened at a time. */
const concurrency = 32;
const open: TLSSocket[] = [];
let makeEvent: () => void = () => undefined;

/** Resolves when all watches are open. */
export async function run({ endpoint, direct, watches }: WatchesOptions): Promise<void> {
  let begun = 0;
  const openWatches = async () => {
    while (begun < watches) {
      begun += 1;
      open.push(await openWatch(endpoint));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, openWatches));
  const control = await connectTo(direct);
  readAnswers(control, () => undefined);
  makeEvent = () => control.write(requestHead(direct, "POST /event", { "Content-Length": "0" }));
}

/** Milliseconds from an event's making to its arrival at the last watch. */
export async function answer(): Promise<number> {
  const arrivals = Promise.all(open.map((socket) => textOn(socket, "ADDED")));
  const started = performance.now();
  makeEvent();
  await arrivals;
  return performance.now() - started;
}

/** Resolves when the watch has begun. */
async function openWatch(endpoint: Endpoint): Promise<TLSSocket> {
  const socket = await connectTo(endpoint);
  socket.write(requestHead(endpoint, "GET /watch"));
  await textOn(socket, "\r\n\r\n");
  return socket;
}

function textOn(socket: TLSSocket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    const lost = () => reject(new Error("a watch was lost"));
    const take = (chunk: Buffer) => {
      seen += chunk.toString("latin1");
      if (!seen.includes(text)) return;
      socket.off("data", take).off("close", lost);
      resolve();
    };
    socket.on("data", take).once("close", lost);
  });
}
