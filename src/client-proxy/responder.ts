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
      response.writeHead(503, this.#headers()).end(this.#body());
    });
    this.#http.on("upgrade", (_request, socket: Socket) => {
      const head = Object.entries(this.#headers()).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(
        `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n${head.join("")}\r\n${this.#body()}`,
      );
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

  /** Takes over a connection, with what has already been read of it. */
  answer(socket: Socket, firstBytes: readonly Buffer[]): void {
    if (socket.destroyed) return;
    if (this.#sockets.size >= maxConnections) return void socket.resetAndDestroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    if (firstBytes.length > 0) socket.unshift(Buffer.concat(firstBytes));
    socket.allowHalfOpen = false;
    this.#tls.emit("connection", socket);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #headers(): Record<string, string> {
    return {
      "Content-Type": "application/json",
      "Content-Length": String(Buffer.byteLength(this.#body())),
      "Retry-After": "1",
      "Cache-Control": "no-store",
    };
  }

  #body(): string {
    const error = this.missing();
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
