/**
 * The TLS server inside the client proxy for connections that cannot reach the cluster now. It answers one request
 * with 503 and Retry-After, which client-go repeats by itself, and a Status that names what is missing.
 */
import { createServer as createHttpServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { errorRegistry, type ClusterConnectError } from "../runtime/errors";
import type { ResponderCertificate } from "./responder-certificate";

const timeoutMs = 10_000;
const maxHeaderBytes = 524_288;
const maxConnections = 1_024;

export class Responder {
  readonly #tls: TlsServer;
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  /** Of connections that have a reason of their own, by the caller's port: TLS puts another socket around ours. */
  readonly #reasons = new Map<number, ClusterConnectError>();

  constructor(
    certificate: ResponderCertificate,
    private readonly missing: () => ClusterConnectError,
  ) {
    // Each connection is answered once: bounds on time and size are all that is needed.
    this.#http = createHttpServer({
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      connectionsCheckingInterval: timeoutMs / 2,
    });
    this.#http.on("request", (request, response) => {
      request.resume();
      response.shouldKeepAlive = false;
      const body = this.#body(request.socket);
      response.writeHead(503, headersOf(body)).end(body);
    });
    this.#http.on("upgrade", (_request, socket: Socket) => {
      const body = this.#body(socket);
      const head = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}\r\n`);
      // As Node closes the others: unread, what a client sends on would hide that it has left.
      socket.resume();
      socket.end(`HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n${head.join("")}\r\n${body}`);
      socket.destroySoon();
    });
    this.#tls = createTlsServer({
      cert: certificate.certPem,
      key: certificate.keyPem,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: timeoutMs,
    });
    this.#tls.on("secureConnection", (socket) => this.#http.emit("connection", socket));
    this.#tls.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Takes over a connection, with what has already been read of it, and perhaps with a reason of its own. */
  answer(socket: Socket, firstBytes: readonly Buffer[], reason?: ClusterConnectError): void {
    if (socket.destroyed) return;
    if (this.#sockets.size >= maxConnections) return void socket.resetAndDestroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    const { remotePort } = socket;
    if (reason !== undefined && remotePort !== undefined) {
      this.#reasons.set(remotePort, reason);
      socket.once("close", () => this.#reasons.delete(remotePort));
    }
    if (firstBytes.length > 0) socket.unshift(Buffer.concat(firstBytes));
    socket.allowHalfOpen = false;
    this.#tls.emit("connection", socket);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #body({ remotePort = 0 }: Socket): string {
    const error = this.#reasons.get(remotePort) ?? this.missing();
    return JSON.stringify({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: `${error.hop}: ${error.message} (${error.code}); ${errorRegistry[error.code].remedy}`,
      reason: "ServiceUnavailable",
      details: { causes: [{ reason: error.code, message: error.detail }], retryAfterSeconds: 1 },
      code: 503,
    });
  }
}

const headersOf = (body: string): Record<string, string> => ({
  "Content-Type": "application/json",
  "Content-Length": String(Buffer.byteLength(body)),
  "Retry-After": "1",
  "Cache-Control": "no-store",
});
