import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { eventually } from "../../support/eventually";
import { RelayEnds } from "./relay-ends";

const mebibyte = 1_048_576;

describe("the relay's port", () => {
  let ends: RelayEnds;
  const sockets: Socket[] = [];
  const start = async (overrides: Record<string, unknown> = {}) => (ends = await RelayEnds.start(overrides));
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await ends.close();
  });

  /** A connection that has not said anything. */
  async function stranger(): Promise<{ socket: Socket; isClosed: () => boolean; text: () => string }> {
    const socket = connect({ port: Number(ends.running.url.port), host: "127.0.0.1" });
    sockets.push(socket);
    let isClosed = false;
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => undefined).on("close", () => (isClosed = true));
    await once(socket, "connect");
    return { socket, isClosed: () => isClosed, text: () => text };
  }
  const handshake = (headers: string) =>
    `GET /$hc/plant-7 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}`;

  it("holds no more strangers from one address than it is told, and a listener is none any more", async () => {
    await start({ limits: { strangersPerAddress: 2 } });
    for (let count = 0; count < 5; count += 1) await ends.listen();
    const waiting = [await stranger(), await stranger()];
    const third = await stranger();
    await eventually(third.isClosed);
    expect(waiting.map(({ isClosed }) => isClosed())).toEqual([false, false]);
    expect(await ends.metric("refused_total", '{reason="stranger_limit"}')).toBe(1);
    waiting[0]!.socket.destroy();
    await eventually(() => waiting[0]!.isClosed());
    await ends.listen();
  });

  it("counts strangers together behind a balancer, where all come from one address", async () => {
    await start({ trustedProxy: true, limits: { strangersPerAddress: 1, strangers: 3 } });
    const waiting = [await stranger(), await stranger(), await stranger()];
    const fourth = await stranger();
    await eventually(fourth.isClosed);
    expect(waiting.some(({ isClosed }) => isClosed())).toBe(false);
  });

  it("takes no more connections in all than it is told", async () => {
    await start({ limits: { connections: 2 } });
    await ends.listen();
    await stranger();
    const third = await stranger();
    await eventually(third.isClosed);
    await eventually(() => third.isClosed());
    expect(await ends.metric("refused_total", '{reason="connection_limit"}')).toBe(1);
  });

  it("waits for a handshake's headers no longer than it is told", async () => {
    await start({ timers: { headersMs: 60 } });
    const { socket, isClosed, text } = await stranger();
    const trickle = setInterval(() => socket.write("X-More: x\r\n"), 10);
    socket.write(handshake(""));
    await eventually(isClosed);
    clearInterval(trickle);
    expect(text()).toMatch(/^(HTTP\/1\.1 408|$)/);
  });

  it("reads no more headers than it is told", async () => {
    await start({ limits: { headerBytes: 2_000 } });
    const { socket, text } = await stranger();
    socket.write(handshake(`X-Long: ${"x".repeat(3_000)}\r\n\r\n`));
    await eventually(() => text() !== "");
    expect(text()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("answers in words what is no WebSocket, and closes", async () => {
    await start();
    const { socket, text, isClosed } = await stranger();
    socket.write("GET /$hc/plant-7 HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(isClosed);
    expect(text()).toMatch(/^HTTP\/1\.1 400 [\s\S]*This endpoint is only for web-socket requests/);
  });

  it.each([
    ["its own sight, where there is no balancer", false, "192.0.2.1", "127.0.0.1"],
    ["what the balancer says, not the caller", true, "198.51.100.9, 192.0.2.1", "192.0.2.1"],
    ["its own sight when the balancer says nothing sensible", true, "unknown", "127.0.0.1"],
  ])("tells a listener where its sender is by %s", async (_, trustedProxy, forwarded, address) => {
    await start({ trustedProxy });
    const listener = await ends.listen();
    await ends.connect({ headers: { "X-Forwarded-For": forwarded } });
    expect((await ends.announced(listener)).remoteEndpoint).toMatchObject({ address });
  });
});

describe("a link through the relay", () => {
  let ends: RelayEnds;
  afterEach(() => ends.close());

  it.each(["sender", "listener"] as const)(
    "holds at most 1 MiB for an end that does not read, and loses nothing: the %s floods",
    async (from) => {
      ends = await RelayEnds.start();
      const { sender, listener } = await ends.join();
      const [source, sink] = from === "sender" ? [sender, listener] : [listener, sender];
      sink.socket.pause();
      const payload = Buffer.alloc(65_536, 7);
      for (let count = 0; count < 1_024; count += 1) source.send(2, payload);
      let before = -1;
      let most = 0;
      // Until nothing moves any more: the kernels' buffers are full too.
      while (source.socket.writableLength !== before) {
        before = source.socket.writableLength;
        for (let look = 0; look < 10; look += 1) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          most = Math.max(most, await ends.metric("held_bytes"));
        }
      }
      expect(before).toBeGreaterThan(16 * mebibyte);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThan(mebibyte);
      let received = 0;
      sink.socket.removeAllListeners("data").on("data", (chunk: Buffer) => (received += chunk.length));
      sink.socket.resume();
      await eventually(() => received + sink.receivedBytes >= 1_024 * payload.length, 15_000);
      expect(await ends.metric("held_bytes")).toBe(0);
      expect(await ends.metric("bytes_total", `{from="${from}"}`)).toBe(1_024 * (payload.length + 14));
    },
  );

  it("is lost to the sender with 1011, and to the listener with 1001, when the other is gone", async () => {
    ends = await RelayEnds.start();
    const first = await ends.join();
    first.listener.socket.resetAndDestroy();
    expect(await first.sender.read()).toBe("close:1011:connection lost");
    const second = await ends.join();
    second.sender.socket.resetAndDestroy();
    expect(await second.listener.read()).toBe("close:1001:connection lost");
    expect(await ends.metric("links_lost_total")).toBe(2);
  });

  it("goes on when its listener's control channel is gone", async () => {
    ends = await RelayEnds.start();
    const channel = await ends.listen();
    const sender = await ends.connect();
    const listener = await ends.dial((await ends.announced(channel)).address);
    await sender.answer;
    channel.socket.resetAndDestroy();
    await ends.until("listeners", 0);
    listener.send(2, "still here");
    expect(await sender.read()).toBe("2:still here");
  });
});
