/** The port that both sides call: bounds before anything is known of the caller, then the handshake. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { ConnectionGuard } from "./connection-guard";
import { readHandshake, type Handshake } from "./handshake";
import { answerPlainRequest } from "./plain-request";
import { Refusal } from "./refusal";
import type { RelaySettings } from "./settings";
import { socketSource } from "./source-address";
import { refuseUpgrade } from "./status-line";
import { readTlsOptions, watchTlsFiles } from "./tls-files";

export interface RelayServer {
  readonly port: number;
  /** Stops accepting and ends what is still open; connections get a moment to take what was sent to them. */
  close(): Promise<void>;
}

export interface ServerHandler {
  /** Takes over a handshake that has been read and checked. */
  handle(handshake: Handshake): void;
  /** Counts a connection that got no further. */
  countRefusal(reason: string): void;
}

/** How long connections may take to go when the server closes. */
const closeLingerMs = 1_000;

/** Listens. Throws ERR_RELAY_LISTEN_FAILED, ERR_RELAY_CERTIFICATE_INVALID or ERR_SETTINGS_UNREADABLE. */
export async function startRelayServer(
  settings: RelaySettings,
  logger: Logger,
  handler: ServerHandler,
): Promise<RelayServer> {
  const { server, stopWatching } = createServer(settings, logger, handler);
  const guard = new ConnectionGuard({
    maxStrangers: settings.limits.strangers,
    maxStrangersPerAddress: settings.trustedProxy ? Infinity : settings.limits.strangersPerAddress,
  });
  const sockets = new Set<Socket>();
  server.maxConnections = settings.limits.connections;
  server.on("drop", () => handler.countRefusal("connection_limit"));
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (guard.enter(socket)) return;
    handler.countRefusal("stranger_limit");
    socket.destroy();
  });
  server.on("request", answerPlainRequest);
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    takeUpgrade(request, socket, head, { settings, logger, handler, guard });
  });
  await listen(server, settings);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopWatching();
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), closeLingerMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function createServer(
  settings: RelaySettings,
  logger: Logger,
  handler: ServerHandler,
): { server: Server; stopWatching: () => void } {
  const { limits, timers, tls } = settings;
  const bounds = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timers.headersMs,
    requestTimeout: timers.headersMs,
    connectionsCheckingInterval: Math.min(timers.headersMs, 5_000),
    keepAliveTimeout: 1_000,
  };
  if (tls === undefined) return { server: createHttpServer(bounds), stopWatching: () => undefined };
  const server = createHttpsServer({
    ...bounds,
    ...readTlsOptions(tls),
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: timers.tlsHandshakeMs,
  });
  server.on("tlsClientError", () => handler.countRefusal("tls_handshake"));
  return { server, stopWatching: watchTlsFiles(server, tls, timers.tlsReloadMs, logger) };
}

interface UpgradeContext {
  readonly settings: RelaySettings;
  readonly logger: Logger;
  readonly handler: ServerHandler;
  readonly guard: ConnectionGuard;
}

function takeUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  { settings, logger, handler, guard }: UpgradeContext,
): void {
  socket.setTimeout(0);
  socket.setKeepAlive(true, settings.timers.pingMs);
  // For the socket's whole life: a reset may come while its token is being checked, when nobody else listens.
  socket.on("error", () => undefined);
  try {
    const isBehindProxy = settings.trustedProxy;
    handler.handle(
      readHandshake(request, socket, head, { isBehindProxy, admitted: () => guard.admit(socket) }),
    );
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(500, "Internal error", "failure");
    if (error !== refusal) logger.error("handshake.failed", { reason: messageOf(error) });
    const { status, sentence, reason } = refusal;
    handler.countRefusal(reason);
    logger.info("refused", { remoteAddress: socketSource(socket).address, status, reason: sentence });
    refuseUpgrade(socket, status, sentence);
  }
}

async function listen(server: Server, { listen: { host, port } }: RelaySettings): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw new ClusterConnectError("ERR_RELAY_LISTEN_FAILED", messageOf(error), { cause: error });
  }
}
