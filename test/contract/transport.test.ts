import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import WebSocket, { WebSocketServer } from "ws";
import { createWebSocketTransport } from "../../src/tunnel/websocket-transport";
import { MemoryTransport } from "../support/memory-transport";
import { describeTransport, Recorder, type Pair } from "./transport-suite";

/** A WebSocket through loopback, both ends paused as sender and listener hand them over. */
async function webSocketPair(options: WebSocket.ClientOptions): Promise<[WebSocket, WebSocket]> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 262_144 });
  server.on("connection", (webSocket) => webSocket.pause());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${String(port)}`, { perMessageDeflate: false, ...options });
  client.once("open", () => client.pause());
  const [connection] = await Promise.all([once(server, "connection"), once(client, "open")]);
  server.close();
  return [client, connection[0] as WebSocket];
}

const zeroMask = (mask: Buffer) => mask.fill(0);

const overWebSocket = (options: WebSocket.ClientOptions, reversed: boolean) => async (): Promise<Pair> => {
  const sockets = await webSocketPair({ maxPayload: 262_144, ...options });
  if (reversed) sockets.reverse();
  const [one, other] = sockets.map(createWebSocketTransport) as [
    ReturnType<typeof createWebSocketTransport>,
    ReturnType<typeof createWebSocketTransport>,
  ];
  return { ends: [one, other], sendText: () => sockets[0].send("text") };
};

describeTransport("memory", () => {
  const ends = MemoryTransport.pair();
  return Promise.resolve({ ends, sendText: () => ends[0].sendText() });
});
describeTransport("WebSocket (client to server, random mask)", overWebSocket({}, false));
describeTransport(
  "WebSocket (client to server, zero mask)",
  overWebSocket({ generateMask: zeroMask }, false),
);
describeTransport("WebSocket (server to client)", overWebSocket({}, true));

describe("WebSocket transport", () => {
  it("does not copy the parts of a large message when the mask is zero", async () => {
    const [client, server] = await webSocketPair({ generateMask: zeroMask });
    const one = createWebSocketTransport(client);
    const other = createWebSocketTransport(server);
    const recorder = new Recorder();
    one.attach(new Recorder());
    other.attach(recorder);
    const concat = jest.spyOn(Buffer, "concat");
    one.send([Buffer.alloc(8), Buffer.alloc(65_536)]);
    other.send([Buffer.alloc(8), Buffer.alloc(65_536)]);
    expect(concat).not.toHaveBeenCalled();
    concat.mockRestore();
    await recorder.until(() => recorder.messages.length === 1);
    expect(recorder.messages[0]).toHaveLength(65_544);
    one.abort();
    await recorder.until(() => recorder.closes.length === 1);
  });

  it("drops the link when the far end does not answer a close", async () => {
    const [client, server] = await webSocketPair({});
    const recorder = new Recorder();
    const transport = createWebSocketTransport(client);
    transport.attach(recorder);
    transport.close(1000, "nobody reads this");
    const started = performance.now();
    await recorder.until(() => recorder.closes.length === 1);
    expect(performance.now() - started).toBeGreaterThan(2_000);
    expect(recorder.closes[0]?.[0]).toBe(1006);
    server.terminate();
  });

  it("tells of an end that came before the handler", async () => {
    const [client, server] = await webSocketPair({});
    const transport = createWebSocketTransport(client);
    server.terminate();
    client.terminate();
    await once(client, "close");
    const recorder = new Recorder();
    transport.attach(recorder);
    await recorder.until(() => recorder.closes.length === 1);
    expect(recorder.closes[0]?.[0]).toBe(1006);
  });

  it("ends with 1009 at the far end's word for a message above the dialled maximum", async () => {
    const [client, server] = await webSocketPair({ maxPayload: 1_024 });
    const transport = createWebSocketTransport(client);
    const recorder = new Recorder();
    transport.attach(recorder);
    server.send(Buffer.alloc(2_048));
    server.resume();
    const [code] = (await once(server, "close")) as [number];
    await recorder.until(() => recorder.closes.length === 1);
    expect(code).toBe(1009);
    expect(recorder.messages).toHaveLength(0);
  });

  it("survives bytes that are no WebSocket", async () => {
    const server = createServer((socket) => {
      socket.once("data", (request) => {
        const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? "";
        socket.write(
          `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\n\r\n`,
        );
        socket.write(Buffer.alloc(100, 0xff));
      });
      socket.on("error", () => undefined);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    client.once("open", () => client.pause());
    await once(client, "open");
    const recorder = new Recorder();
    const transport = createWebSocketTransport(client);
    transport.attach(recorder);
    setTimeout(() => transport.abort(), 100);
    await recorder.until(() => recorder.closes.length === 1);
    expect(recorder.messages).toHaveLength(0);
    server.close();
  });
});

function accept(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
