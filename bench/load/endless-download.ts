/** A download at full speed until the process is killed; or one whose reader has stalled. */
import { once } from "node:events";
import type { Endpoint } from "../paths/path";
import { connectTo, requestHead } from "./http-connection";

export interface EndlessDownloadOptions {
  readonly endpoint: Endpoint;
  readonly stalled: boolean;
}

/** Resolves once bytes flow, so that what is measured beside it is beside a download. */
export async function run({ endpoint, stalled }: EndlessDownloadOptions): Promise<void> {
  const socket = await connectTo(endpoint);
  socket.write(requestHead(endpoint, `GET /down?bytes=${String(Number.MAX_SAFE_INTEGER)}`));
  await once(socket, "readable");
  if (stalled) return;
  socket.resume();
  socket.once("close", () => process.exit(1));
}
