import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { createTestCertificate } from "./certificate";

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** As they came, in order, repeated ones apart. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Every value of a header, by its lower-case name. */
  values(name: string): string[];
}

export interface RecordingApiserver {
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly requests: readonly RecordedRequest[];
  /** Every byte that came in after TLS, one buffer a connection. */
  rawBytes(): Buffer[];
  /** The same of the connections that are open now. */
  openBytes(): Buffer[];
  /** Connections taken so far. */
  readonly connections: number;
  /** Connections that are open now, TLS done. */
  readonly openConnections: number;
  /** Forgets requests and bytes; to be called between requests, so that each record begins with a request line. */
  forget(): void;
  /** Answers requests; may be replaced at any time. Default: 200 with the request's headers as JSON. */
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Takes upgrades; default: 403. */
  upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** Requests that came with a credential but not as exactly one named user; must always be empty. */
  withoutUser(): RecordedRequest[];
  /** Stops listening and drops every connection, as a killed apiserver does. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A TLS server in the apiserver's place that keeps every byte it is sent. */
export async function startRecordingApiserver(): Promise<RecordingApiserver> {
  const certificate = await createTestCertificate(["kubernetes.default.svc"]);
  const requests: RecordedRequest[] = [];
  const raw: Buffer[][] = [];
  const secured = new Map<Socket, readonly Buffer[]>();
  const sockets = new Set<Socket>();
  const server = createServer({
    cert: certificate.certPem,
    key: certificate.keyPem,
    maxHeaderSize: 1_048_576,
    keepAliveTimeout: 90_000,
    requestTimeout: 0,
    allowHalfOpen: true,
  });
  server.maxHeadersCount = 0;
  const record = (request: IncomingMessage) => {
    const headers = pairs(request.rawHeaders);
    requests.push({
      method: request.method ?? "",
      target: request.url ?? "",
      headers,
      values: (name) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value),
    });
  };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket) => {
    const chunks: Buffer[] = [];
    raw.push(chunks);
    secured.set(socket, chunks);
    socket.once("close", () => secured.delete(socket)).on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  });
  server.on("tlsClientError", () => undefined);
  server.on("request", (request, response) => {
    record(request);
    apiserver.handle(request, response);
  });
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  server.on("upgrade", (request, socket: Socket, head) => {
    record(request);
    apiserver.upgrade(request, socket, head);
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;

  // Not all that is destroyed is told closed: Node 20 forgets a TLS socket that is reset while it ends.
  const open = () => [...secured].filter(([socket]) => !socket.destroyed);
  const apiserver: RecordingApiserver = {
    url: `https://127.0.0.1:${port}`,
    port,
    caPem: certificate.caPem,
    requests,
    rawBytes: () => raw.map((chunks) => Buffer.concat(chunks)),
    openBytes: () => open().map(([, chunks]) => Buffer.concat(chunks)),
    get connections() {
      return raw.length;
    },
    get openConnections() {
      return open().length;
    },
    forget() {
      requests.length = 0;
      for (const chunks of raw) chunks.length = 0;
    },
    handle: (request, response) => {
      const body = JSON.stringify(pairs(request.rawHeaders));
      response.writeHead(200, { "Content-Type": "application/json", "Audit-Id": "test" }).end(body);
    },
    // Read on, or the end of the other side would never be seen.
    upgrade: (_, socket) => socket.resume().end("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nno ws\n"),
    withoutUser: () =>
      requests.filter((request) => {
        const users = request.values("impersonate-user");
        const isNamed = users.length === 1 && users[0]!.trim() !== "";
        return request.values("authorization").length > 0 && !isNamed;
      }),
    async kill() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
    restart: () => listen(port),
    close: () => apiserver.kill(),
  };
  return apiserver;
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
    rawHeaders[2 * at]!,
    rawHeaders[2 * at + 1]!,
  ]);
}
