/** `/healthz`, `/readyz` and `/metrics` on a port of their own, loopback unless configured otherwise. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Registry;
  /** Why the process cannot serve now, or undefined if it can. */
  readonly unreadyReason: () => string | undefined;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = "text/plain; charset=utf-8") => {
      response.writeHead(status, { "Content-Type": type }).end(body);
    };
    if (request.url === "/healthz") return answer(200, "ok\n");
    if (request.url === "/readyz") {
      const reason = options.unreadyReason();
      return answer(reason === undefined ? 200 : 503, `${reason ?? "ok"}\n`);
    }
    if (request.url !== "/metrics") return answer(404, "not found\n");
    options.metrics.metrics().then(
      (text) => answer(200, text, options.metrics.contentType),
      () => answer(500, "metrics failed\n"),
    );
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  if (server.listening) await once(server, "close");
}
