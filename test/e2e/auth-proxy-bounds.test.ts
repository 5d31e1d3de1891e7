import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import type { AuthProxySettingsInput } from "../../src/auth-proxy/settings";
import { startAuthProxyHarness, testSession, type AuthProxyHarness } from "../support/auth-proxy-harness";

describe("auth proxy bounds", () => {
  let harness: AuthProxyHarness;
  const start = async (overrides?: Partial<AuthProxySettingsInput>) =>
    (harness = await startAuthProxyHarness(overrides));
  afterEach(async () => {
    expect(harness.apiserver.withoutUser()).toEqual([]);
    await harness.close();
  });
  const upgradeText = async () =>
    `POST /api/v1/namespaces/a/pods/b/exec HTTP/1.1\r\nHost: a\r\nAuthorization: ${await harness.authorization()}\r\n` +
    "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";
  const readToEnd = async (socket: Socket) => {
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    return text;
  };

  it("give up on an apiserver that takes the connection and says nothing", async () => {
    await start();
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const sockets: Socket[] = [];
    mute.on("connection", (socket) => sockets.push(socket.on("error", () => undefined)));
    const other = await startAuthProxyHarness({
      apiserver: {
        url: `https://127.0.0.1:${(mute.address() as AddressInfo).port}`,
        caFile: join(harness.directory, "ca.crt"),
        tokenFile: harness.tokenFile,
      },
      limits: { apiserverConnectTimeoutMs: 50 },
    });
    const answer = await other.fetch({});
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
    await other.close();
    for (const socket of sockets) socket.destroy();
    mute.close();
    await once(mute, "close");
  });

  it("give up on an upgrade that is never answered", async () => {
    await start({ limits: { upgradeAnswerTimeoutMs: 50 } });
    let upstream: Socket | undefined;
    harness.apiserver.upgrade = (_, socket) => void (upstream = socket);
    const socket = await harness.connect();
    socket.write(await upgradeText());
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 502 [\s\S]*ERR_APISERVER_LOST/);
    upstream?.destroy();
  });

  it("end connections that nobody uses, over either protocol, but not one with a quiet watch", async () => {
    await start({ limits: { keepAliveTimeoutMs: 400 } });
    const kept = await harness.connect();
    kept.write(`GET /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${await harness.authorization()}\r\n\r\n`);
    expect(await readToEnd(kept)).toMatch(/^HTTP\/1\.1 200/);
    const idle = await harness.http2();
    await once(idle, "close");
    harness.apiserver.handle = (_, response) => {
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.end("event"), 1_000);
    };
    const authorization = await harness.authorization();
    const session = await harness.http2();
    const watch = session.request({ ":path": "/api", authorization });
    const [event] = (await once(watch, "data")) as [Buffer];
    expect(event.toString()).toBe("event");
  });

  it("are told to HTTP/2 clients", async () => {
    await start({ limits: { http2Streams: 3, http2HeaderBytes: 70_000, http2StreamWindowBytes: 100_000 } });
    const session = await harness.http2();
    await once(session, "remoteSettings");
    expect(session.remoteSettings).toMatchObject({
      maxConcurrentStreams: 3,
      maxHeaderListSize: 70_000,
      initialWindowSize: 100_000,
    });
  });

  it("hold for what an HTTP/2 session may send at once", async () => {
    await start({ limits: { http2SessionWindowBytes: 300_000 } });
    const session = await harness.http2();
    await once(session, "remoteSettings");
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    expect(session.state.remoteWindowSize).toBe(300_000);
  });

  it.each([
    [1, true],
    [64, false],
  ])(
    "hold for what is kept for an HTTP/2 session that does not read: %i MiB",
    async (http2SessionMiB, isFull) => {
      await start({ limits: { http2SessionMiB } });
      harness.apiserver.handle = (_, response) => void response.end(Buffer.alloc(300_000));
      const session = await harness.http2();
      const authorization = await harness.authorization();
      const isAnswered = () =>
        new Promise<boolean>((resolve) => {
          const stream = session.request({ ":path": "/api", authorization });
          stream.once("response", () => resolve(true));
          stream.once("error", () => resolve(false)).once("close", () => resolve(false));
        });
      let isRefused = false;
      for (let count = 0; count < 60 && !isRefused; count += 1) isRefused = !(await isAnswered());
      expect(isRefused).toBe(isFull);
      session.destroy();
    },
  );

  it("end an upload that goes on behind its refusal", async () => {
    await start({ limits: { uploadDrainMs: 50 } });
    const socket = await harness.connect();
    socket.write("POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const more = setInterval(() => socket.writable && socket.write("1\r\nx\r\n"), 10);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(more);
    expect(text).toMatch(/^HTTP\/1\.1 401/);
  });

  it("leave no idle connection at the apiserver for longer, nor more of them", async () => {
    await start({
      limits: { apiserverIdleTimeoutMs: 50, apiserverIdleConnections: 1, readinessProbeMs: 60_000 },
    });
    await harness.fetch({});
    const before = harness.apiserver.connections;
    await new Promise((resolve) => setTimeout(resolve, 120));
    await harness.fetch({});
    expect(harness.apiserver.connections).toBe(before + 1);
    // All three are under way before any is answered, so that they need three connections.
    let waiting: (() => void)[] = [];
    harness.apiserver.handle = (_, response) => {
      waiting.push(() => response.end("{}"));
      if (waiting.length < 3) return;
      for (const answer of waiting) answer();
      waiting = [];
    };
    const three = () => Promise.all([harness.fetch({}), harness.fetch({}), harness.fetch({})]);
    await three();
    const busy = harness.apiserver.connections;
    await three();
    expect(harness.apiserver.connections).toBeGreaterThanOrEqual(busy + 2);
  });

  it("hold for the other half of a connection that has half ended", async () => {
    await start({ limits: { lingerMs: 100 } });
    let upstream: Socket | undefined;
    harness.apiserver.upgrade = (_, socket) => {
      upstream = socket.on("error", () => undefined);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    };
    const socket = await harness.connect();
    socket.write(await upgradeText());
    await once(socket, "data");
    socket.end();
    await harness.logged("request", { end: "caller ended" });
    upstream?.destroy();
  });

  it("leave a PROXY header over TCP to those who ask for it", async () => {
    await start({ listen: { host: "127.0.0.1", port: 0, proxyHeader: true } });
    await harness.fetch({});
    expect(await harness.logged("request")).toMatchObject({ sessionId: testSession, streamId: "7" });
  });

  it("look after the leaf at intervals", async () => {
    await start({ limits: { certificateCheckMs: 10 } });
    const { rmSync, existsSync } = await import("node:fs");
    const metrics = () => harness.proxy.metrics.registry.metrics();
    expect(await metrics()).toMatch(/certificate_expiry_seconds\{certificate="leaf"\} \d{10}/);
    rmSync(join(harness.directory, "tls"), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Nothing is due, so nothing is made: least of all a new CA.
    expect(existsSync(join(harness.directory, "tls"))).toBe(false);
    expect((await harness.fetch({})).status).toBe(200);
  });
});
