import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ClusterConnectError } from "../runtime/errors";
import { abortSocket } from "./abort-socket";
import type { ConnectionServer } from "./connection-server";
import { http1Exchange } from "./exchange";
import { lingerAtEnd } from "./linger";
import type { Pipeline } from "./pipeline";
import type { StreamOrigin } from "./proxy-header";
import { refusalAnswer } from "./refuse";
import type { AuthProxyLimits } from "./settings";

export function createHttp1Server(pipeline: Pipeline, limits: AuthProxyLimits): ConnectionServer {
  const origins = new WeakMap<Socket, StreamOrigin>();
  /** Requests of a connection that are not answered yet: more than one when they are pipelined. */
  const answering = new WeakMap<Socket, number>();
  const isAnswering = (socket: Socket) => (answering.get(socket) ?? 0) > 0;
  let isDraining = false;
  const originOf = (request: IncomingMessage) => origins.get(request.socket) ?? {};
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // Uploads and watches last as long as they last.
    requestTimeout: 0,
    insecureHTTPParser: false,
    // Node would answer by itself, unseen here; request-bounds.ts refuses it.
    requireHostHeader: false,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 30_000),
  });
  // Node drops the lines beyond its own limit without a word; `limits.headers` refuses them.
  server.maxHeadersCount = 0;

  const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
    const { socket } = request;
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    response.once("close", () => answering.set(socket, (answering.get(socket) ?? 1) - 1));
    if (isDraining) response.shouldKeepAlive = false;
    void pipeline.handle(http1Exchange(request, response, { origin: originOf(request), expectsContinue }));
  };
  const handleUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Node takes it off the connection while an answer is still owed there. No client does that, and nothing can be
    // sent behind an answer that has no end yet.
    if (isAnswering(socket)) return abortSocket(socket);
    void pipeline.handleUpgrade({ request, socket, head, origin: originOf(request) });
  };
  server
    .on("request", (request, response) => handle(request, response, false))
    .on("checkContinue", (request, response) => handle(request, response, true))
    .on("checkExpectation", (request, response) => handle(request, response, false))
    .on("upgrade", handleUpgrade)
    .on("connect", handleUpgrade)
    .on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      if (isAnswering(socket) || !socket.writable) return abortSocket(socket);
      refuseUnparsed(socket, error, limits.lingerMs);
    });
  // It never listens itself; this is what starts its watch over slow headers.
  server.emit("listening");
  return {
    serve(socket, origin) {
      origins.set(socket, origin);
      lingerAtEnd(socket, limits.lingerMs);
      server.emit("connection", socket);
    },
    drain() {
      isDraining = true;
      server.closeIdleConnections();
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Node answers these by a bare status line, which kubectl shows as an error without words. */
function refuseUnparsed(socket: Socket, error: NodeJS.ErrnoException, lingerMs: number): void {
  const code =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "ERR_AUTH_PROXY_REQUEST_TOO_LARGE"
      : "ERR_AUTH_PROXY_MALFORMED_REQUEST";
  const { status, lines, body } = refusalAnswer(new ClusterConnectError(code, error.code ?? ""));
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // The parser would refuse what follows again, and lets go of the handle only for a listener of somebody else's. It is
  // read all the same, or a reset would overtake the answer.
  socket.on("data", () => undefined).removeAllListeners("data");
  socket.resume();
  // Counted from here, not from the last byte: a trickle would hold the connection for ever.
  const timer = setTimeout(() => abortSocket(socket), lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n${head}\r\n${body}`,
  );
}
