/** The port that both sides call: bounds before anything is known of the caller, then the handshake. */
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "../runtime/logger";
import { readHandshake, type Handshake } from "./handshake";
import { Refusal } from "./refusal";
import type { RelaySettings } from "./settings";
import { refuseUpgrade } from "./status-line";
import { readTlsFiles, watchTlsFiles } from "./tls-files";

export interface RelayServer {
  readonly port: number;
  /** Stops accepting; connections that were handed on live on. */
  close(): void;
}

export async function startRelayServer(
  settings: RelaySettings,
  logger: Logger,
  handle: (handshake: Handshake) => void,
): Promise<RelayServer> {
  const { limits, timers, tls, listen } = settings;
  const bounds = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timers.headersMs,
    requestTimeout: timers.headersMs,
    connectionsCheckingInterval: Math.min(timers.headersMs, 5_000),
    keepAliveTimeout: 1_000,
  };
  let server: Server;
  let stopWatching: () => void = () => undefined;
  if (tls === undefined) server = createHttpServer(bounds);
  else {
    const secure = createHttpsServer({
      ...bounds,
      ...readTlsFiles(tls),
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: timers.tlsHandshakeMs,
    });
    stopWatching = watchTlsFiles(secure, tls, timers.tlsReloadMs, logger);
    server = secure;
  }
  server.maxConnections = limits.connections;
  server.on("request", answerPlainRequest);
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.setTimeout(0);
    socket.setKeepAlive(true, timers.pingMs);
    try {
      handle(readHandshake(request, socket, head));
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(500, "Internal error", "failure");
      refuseUpgrade(socket, refusal.status, refusal.sentence);
    }
  });
  server.listen(listen.port, listen.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      stopWatching();
      server.close();
    },
  };
}

/** HTTP relaying is not part of this relay; a browser that comes here should read why. */
function answerPlainRequest(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
  response.end("This is a Cluster Connect relay. It serves WebSocket requests under /$hc/ only.\n");
}
