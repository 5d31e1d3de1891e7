import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "../../src/agent/agent";
import { agentSettings } from "../../src/agent/settings";
import { dialSender } from "../../src/hybrid-connections/sender";
import { createSasToken } from "../../src/hybrid-connections/sas-token";
import { subprotocol } from "../../src/protocol/subprotocol";
import { silentLogger } from "../../src/runtime/logger";
import { openClientSession, type ClientSession } from "../../src/tunnel/session-client";
import { splice } from "../../src/tunnel/splice";
import { createWebSocketTransport } from "../../src/tunnel/websocket-transport";
import { createTestCertificate } from "../support/certificate";
import { listenKey, sendKey, startRelay, type RunningRelay } from "../support/relay-process";

/** What the target has seen of a connection: the PROXY header, and the bytes behind it. */
const proxyHeaderBytes = (firstChunk: Buffer) => 16 + firstChunk.readUInt16BE(14);

describe("a session through relay and agent", () => {
  const folder = mkdtempSync(join(tmpdir(), "path-"));
  const socketPath = join(folder, "api.sock");
  const headers: string[] = [];
  const targetSockets = new Set<Socket>();
  let target: Server;
  let relay: RunningRelay;
  let agent: Agent;
  let session: ClientSession;
  const stopping = new AbortController();

  beforeAll(async () => {
    const { caPem } = await createTestCertificate();
    writeFileSync(`${socketPath}.ca.pem`, caPem);
    writeFileSync(join(folder, "agent.key"), listenKey);
    target = createServer({ allowHalfOpen: true }, (socket) => {
      targetSockets.add(socket.on("error", () => undefined));
      socket.once("data", (first: Buffer) => {
        const length = proxyHeaderBytes(first);
        headers.push(first.subarray(0, length).toString("latin1"));
        socket.write(first.subarray(length));
        socket.pipe(socket);
      });
    }).listen(socketPath);
    await once(target, "listening");
    relay = await startRelay();
    agent = new Agent(
      agentSettings.parse({
        relay: {
          url: relay.url.origin,
          cluster: "plant-7",
          credential: { keyName: "agent", keyFile: join(folder, "agent.key") },
        },
        target: { socket: socketPath },
      }),
      "cluster-connect/test",
      silentLogger,
    );
    await agent.start(stopping.signal);
    session = await openSession();
  });

  afterAll(async () => {
    await session.close("done");
    await agent.drain(0);
    await relay.close();
    for (const socket of targetSockets) socket.destroy();
    target.close();
    rmSync(folder, { recursive: true });
  });

  async function openSession(): Promise<ClientSession> {
    const authorization = createSasToken({
      relay: relay.url,
      entity: "plant-7",
      keyName: "client",
      key: sendKey,
      lifetimeMs: 60_000,
    });
    const webSocket = await dialSender({
      relayUrl: relay.url,
      cluster: "plant-7",
      authorization,
      subprotocol,
    });
    return openClientSession(createWebSocketTransport(webSocket), {
      cluster: "plant-7",
      client: "cluster-connect/test",
      logger: silentLogger,
    });
  }

  /** A local socket whose other end is spliced to a new stream. */
  async function openConnection(): Promise<Socket> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      server.close();
      void splice(socket, session.open());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  }

  it("begins with the agent's HELLO", async () => {
    const hello = await session.agentHello;
    expect(hello).toMatchObject({ cluster: "plant-7", listenerId: agent.listenerId });
    expect(hello.caBundle).toContain("BEGIN CERTIFICATE");
  });

  it("carries many streams at once, each with its bytes whole and both ends closed in order", async () => {
    const echo = async (size: number) => {
      const sent = randomBytes(size);
      const socket = await openConnection();
      const received: Buffer[] = [];
      socket.on("data", (chunk) => received.push(chunk));
      socket.end(sent);
      await once(socket, "end");
      socket.destroy();
      expect(Buffer.concat(received).equals(sent)).toBe(true);
    };
    await Promise.all([1, 1_000, 100_000, 5_000_000, 20_000_000].map(echo));
    expect(headers.at(-1)).toContain((await session.agentHello).sessionId);
  });

  it("resets the local socket when the target is gone and more is sent to it", async () => {
    const socket = await openConnection();
    socket.write("hello");
    await once(socket, "data");
    // A unix socket that is destroyed looks like one that has ended, until somebody writes to it.
    for (const other of targetSockets) other.destroy();
    await once(socket.resume(), "end");
    // A socket that has read its end hears of a reset only when it writes again.
    const writer = setInterval(() => socket.write("more"), 10);
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    clearInterval(writer);
    expect(error.code).toMatch(/^(ECONNRESET|EPIPE)$/);
  });

  it("resets every stream when the relay is lost, and a new session works after the agent has come back", async () => {
    const socket = await openConnection();
    socket.write("hello");
    await once(socket, "data");
    const port = Number(relay.url.port);
    const failed = once(socket, "error");
    await relay.close();
    const [error] = (await failed) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
    expect((await session.closed).clean).toBe(false);
    relay = await startRelay({}, { port });
    const deadline = Date.now() + 5_000;
    for (;;) {
      try {
        session = await openSession();
        break;
      } catch (refused) {
        if (Date.now() > deadline) throw refused;
      }
    }
    const again = await openConnection();
    again.write("again");
    expect(String((await once(again, "data"))[0])).toBe("again");
    again.destroy();
  });
});
