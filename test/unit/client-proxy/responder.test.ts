import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { Responder } from "../../../src/client-proxy/responder";
import {
  createResponderCertificate,
  type ResponderCertificate,
} from "../../../src/client-proxy/responder-certificate";
import { ClusterConnectError } from "../../../src/runtime/errors";

const serverName = "0123456789abcdef0123456789abcdef.cluster-connect.internal";

describe("the responder", () => {
  let certificate: ResponderCertificate;
  let responder: Responder;
  let server: Server;
  let missing: ClusterConnectError;
  let reason: ClusterConnectError | undefined;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    certificate = await createResponderCertificate(serverName);
  });
  beforeEach(async () => {
    missing = new ClusterConnectError("ERR_AGENT_NOT_CONNECTED", "404");
    reason = undefined;
    responder = new Responder(certificate, () => missing);
    // As the local listener hands connections over: paused, half-open, perhaps with bytes that have been read.
    server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      sockets.push(socket.on("error", () => undefined));
      responder.answer(socket, [], reason);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(() => {
    responder.close();
    server.close();
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function dial(options: ConnectionOptions & { allowHalfOpen?: boolean } = {}): Promise<TLSSocket> {
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      ca: certificate.caPem,
      servername: serverName,
      ...options,
    });
    await once(socket, "secureConnect");
    return socket;
  }

  async function ask(request: string): Promise<{ head: string; body: string }> {
    const socket = await dial();
    socket.write(request);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "end");
    const [head = "", body = ""] = text.split("\r\n\r\n");
    return { head, body };
  }

  it.each([
    ["a GET", "GET /api HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an upload", `POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${"x".repeat(100_000)}`],
    ["a WebSocket", "GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ["a SPDY exec", "POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"],
  ])("answers %s with 503, Retry-After and a Status that names the hop, and closes", async (_, request) => {
    const { head, body } = await ask(request);
    expect(head).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(head).toMatch(/^Retry-After: 1$/im);
    expect(head).toMatch(/^Connection: close$/im);
    expect(head).toMatch(/^Content-Type: application\/json$/im);
    expect(head).toContain(`Content-Length: ${String(Buffer.byteLength(body))}`);
    const status = JSON.parse(body) as Record<string, unknown>;
    expect(status).toMatchObject({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "ServiceUnavailable",
      code: 503,
      details: { causes: [{ reason: "ERR_AGENT_NOT_CONNECTED", message: "404" }], retryAfterSeconds: 1 },
    });
    expect(status["message"]).toMatch(/^agent: .+\(ERR_AGENT_NOT_CONNECTED\); check cluster-name/);
  });

  it.each([
    ["stays", ""],
    ["sends on", "more"],
  ])("holds no connection of a client that asked for an upgrade and %s", async (_, more) => {
    const socket = await dial({ allowHalfOpen: true });
    socket.on("error", () => undefined);
    socket.write("GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await once(socket, "data");
    socket.write(more);
    const [held] = sockets;
    if (!held!.destroyed) await once(held!, "close");
    socket.destroy();
  });

  it("says what is missing now, not what was missing when it began", async () => {
    missing = new ClusterConnectError("ERR_AUTH_PROXY_UNREACHABLE");
    const { body } = await ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(body).toContain("ERR_AUTH_PROXY_UNREACHABLE");
  });

  it("tells a connection that has a reason of its own that one, and the next one what is missing", async () => {
    for (const upgrade of ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"]) {
      reason = new ClusterConnectError("ERR_TUNNEL_FULL", "512 streams are open");
      const { body } = await ask(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
      expect(body).toContain("ERR_TUNNEL_FULL");
      reason = undefined;
      expect((await ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).body).toContain("ERR_AGENT_NOT_CONNECTED");
    }
  });

  it("speaks HTTP/1.1 alone, whatever else is offered", async () => {
    const socket = await dial({ ALPNProtocols: ["h2", "http/1.1"] });
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  it("takes over what has been read of a connection already", async () => {
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      sockets.push(socket.on("error", () => undefined));
      socket.once("readable", () => responder.answer(socket, [socket.read() as Buffer]));
    });
    const { head } = await ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(head).toContain("503");
  });

  it("drops what is no TLS", async () => {
    const { port } = server.address() as AddressInfo;
    const { connect: connectTcp } = await import("node:net");
    const socket = connectTcp({ port, host: "127.0.0.1" }).on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await once(socket.resume(), "close");
  });

  it("lets nobody stay when it closes", async () => {
    const socket = await dial();
    socket.on("error", () => undefined);
    responder.close();
    await once(socket.resume(), "close");
  });
});

describe("the responder's certificate", () => {
  it("is for the server name and for loopback, signed by a CA made anew each time", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => createResponderCertificate(serverName)));
    const [leaf, ca] = [new X509Certificate(one!.certPem), new X509Certificate(one!.caPem)];
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.subjectAltName).toBe(
      `DNS:${serverName}, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1`,
    );
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    expect(ca.subject).not.toBe(new X509Certificate(other!.caPem).subject);
    expect(leaf.checkPrivateKey((await import("node:crypto")).createPrivateKey(one!.keyPem))).toBe(true);
  });

  it("lets clocks differ by an hour", async () => {
    const { certPem } = await createResponderCertificate(serverName);
    expect(Date.parse(new X509Certificate(certPem).validFrom)).toBeLessThan(Date.now() - 3_500_000);
  });
});
