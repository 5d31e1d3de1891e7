/** One process of the bare chain: accepts plain or TLS connections, and pipes each into one of its own. */
import { once } from "node:events";
import {
  connect as connectPlain,
  createServer as createPlainServer,
  type AddressInfo,
  type Socket,
} from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

export interface HopOptions {
  /** Absent: plain TCP comes in. */
  readonly server?: { readonly certPem: string; readonly keyPem: string };
  /** With a CA: TLS goes out. */
  readonly to: { readonly port: number; readonly caPem?: string };
}

export async function run({ server, to }: HopOptions): Promise<{ port: number }> {
  const accept = (incoming: Socket) => {
    const outgoing =
      to.caPem === undefined
        ? connectPlain(to.port, "127.0.0.1")
        : connectTls({ port: to.port, host: "127.0.0.1", ca: to.caPem });
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      one.setNoDelay(true);
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
      one.pipe(other);
    }
  };
  const listener =
    server === undefined
      ? createPlainServer(accept)
      : createTlsServer({ cert: server.certPem, key: server.keyPem }, accept);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return { port: (listener.address() as AddressInfo).port };
}
