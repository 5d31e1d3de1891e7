import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Agent } from "../../src/agent/agent";
import type { ClientSession } from "../../src/tunnel/session-client";
import { splice } from "../../src/tunnel/splice";
import { createTestAgent, EchoTarget, openTestSession } from "../support/agent-fixture";
import { startRelay, type RunningRelay } from "../support/relay-process";

describe("a session through relay and agent", () => {
  const target = new EchoTarget();
  let relay: RunningRelay;
  let agent: Agent;
  let session: ClientSession;

  beforeAll(async () => {
    await target.writeCa();
    await target.listen();
    relay = await startRelay();
    agent = createTestAgent(relay.url, target);
    await agent.start(new AbortController().signal);
    session = await openTestSession(relay.url);
  });

  afterAll(async () => {
    await session.close("done");
    await agent.drain(0);
    await relay.close();
    await target.remove();
  });

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
    expect(target.proxyHeaders.at(-1)).toContain((await session.agentHello).sessionId);
  });

  it("resets the local socket when the target is gone and more is sent to it", async () => {
    const socket = await openConnection();
    socket.write("hello");
    await once(socket, "data");
    // A unix socket that is destroyed looks like one that has ended, until somebody writes to it.
    for (const other of target.sockets) other.destroy();
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
        session = await openTestSession(relay.url);
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
