import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

export interface ConnectProxy {
  readonly url: string;
  /** `host:port` of each CONNECT that was let through, and the Proxy-Authorization it came with. */
  readonly tunnels: { target: string; authorization: string | undefined }[];
  /** What to answer instead, by its status line, from now on. */
  refuseWith(status: string): void;
  close(): Promise<void>;
}

/** A minimal HTTP CONNECT proxy on loopback that records what it is asked for. */
export async function startConnectProxy(credentials = "user:pass"): Promise<ConnectProxy> {
  const tunnels: ConnectProxy["tunnels"] = [];
  const sockets = new Set<Socket>();
  let refusal: string | undefined;
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on("connection", (socket) => sockets.add(socket));
  server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`);
    const [host = "", port = ""] = (request.url ?? "").split(":");
    tunnels.push({ target: request.url ?? "", authorization: request.headers["proxy-authorization"] });
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://${credentials}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    refuseWith: (status) => (refusal = status),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
