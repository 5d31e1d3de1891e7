import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { HandshakeRefused } from "../../../src/hybrid-connections/handshake-refused";
import { dialSender, type SenderOptions } from "../../../src/hybrid-connections/sender";

describe("a sender", () => {
  let server: Server;
  const requests: IncomingMessage[] = [];
  const connections = new Set<Duplex>();
  let answer: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  const sockets = new WebSocketServer({ noServer: true });

  beforeEach(async () => {
    requests.splice(0);
    server = createServer().on("upgrade", (request, socket, head) => {
      requests.push(request);
      connections.add(socket);
      answer(request, socket, head);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    answer = (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (ws) => ws.send("early"));
  });
  afterEach(async () => {
    for (const webSocket of sockets.clients) webSocket.terminate();
    for (const socket of connections) socket.destroy();
    connections.clear();
    server.close();
    await once(server, "close");
  });
  const dial = (options: Partial<SenderOptions> = {}) =>
    dialSender({
      relayUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      cluster: "emea/plant-7",
      authorization: "t0ken",
      subprotocol: "cluster-connect.v1",
      ...options,
    });

  it("asks for the cluster with its token and subprotocol, and offers no compression", async () => {
    const webSocket = await dial({ id: "my-id", allowedListeners: ["a", "b"] });
    const [{ url, headers }] = requests as [IncomingMessage];
    expect(url).toBe("/$hc/emea/plant-7?sb-hc-action=connect&sb-hc-id=my-id");
    expect(headers).toMatchObject({
      servicebusauthorization: "t0ken",
      "sec-websocket-protocol": "cluster-connect.v1",
      "microsoft-relay-allowedlisteners": "a,b",
    });
    expect(headers).not.toHaveProperty("sec-websocket-extensions");
    webSocket.terminate();
  });

  it("has an id made up for it, and names no listeners unless told", async () => {
    const webSocket = await dial();
    expect(requests[0]!.url).toMatch(/sb-hc-id=[0-9a-f-]{36}$/);
    expect(requests[0]!.headers).not.toHaveProperty("microsoft-relay-allowedlisteners");
    webSocket.terminate();
  });

  it("is given its WebSocket paused, so that nothing is lost before somebody listens", async () => {
    const webSocket = await dial();
    expect(webSocket.isPaused).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const message = once(webSocket, "message");
    webSocket.resume();
    expect(String((await message)[0])).toBe("early");
    webSocket.terminate();
  });

  it("is told the status and the reason of a refusal, and the relay's word for it", async () => {
    answer = (_request, socket) => {
      socket.end("HTTP/1.1 401 No. TrackingId:x\r\nCluster-Connect-Error: ERR_TOKEN_AUDIENCE\r\n\r\n");
    };
    const refused: unknown = await dial().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HandshakeRefused);
    expect(refused).toMatchObject({ status: 401, reason: "No. TrackingId:x", code: "ERR_TOKEN_AUDIENCE" });
  });

  it("believes no word that is not in the registry", async () => {
    answer = (_request, socket) => {
      socket.end("HTTP/1.1 401 No\r\nCluster-Connect-Error: ERR_SOMETHING_ELSE\r\n\r\n");
    };
    expect(await dial().catch((error: unknown) => error)).toMatchObject({ status: 401, code: undefined });
  });

  it("follows no redirect", async () => {
    answer = (_request, socket) => {
      socket.end("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n");
    };
    await expect(dial()).rejects.toMatchObject({ status: 302 });
  });

  it("refuses an answer without its subprotocol", async () => {
    answer = (request, socket, head) => {
      delete request.headers["sec-websocket-protocol"];
      sockets.handleUpgrade(request, socket, head, () => undefined);
    };
    await expect(dial()).rejects.toThrow(/subprotocol/i);
  });

  it("gives up after its time, however the other end keeps it busy", async () => {
    answer = (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\n");
      const trickle = setInterval(() => socket.write("X-More: x\r\n"), 5);
      socket.on("close", () => clearInterval(trickle)).on("error", () => undefined);
    };
    await expect(dial({ handshakeTimeoutMs: 60 })).rejects.toThrow("no answer to the handshake within 60 ms");
  });

  it("gives up at once when it is told to, and before it has begun", async () => {
    answer = () => undefined;
    const stop = new AbortController();
    const dialling = dial({ signal: stop.signal });
    const told = expect(dialling).rejects.toThrow("enough");
    while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error("enough"));
    await told;
    await expect(dial({ signal: stop.signal })).rejects.toThrow("enough");
    expect(requests).toHaveLength(1);
  });

  it.each([
    ["masks its frames where they go in clear", undefined, false],
    ["may mask them with zeroes", true, true],
  ])("%s", async (_, zeroMask, isZero) => {
    let wire = Buffer.alloc(0);
    answer = (request, socket, head) => {
      socket.on("data", (chunk: Buffer) => (wire = Buffer.concat([wire, chunk])));
      sockets.handleUpgrade(request, socket, head, () => undefined);
    };
    const webSocket = await dial(zeroMask === undefined ? {} : { zeroMask });
    webSocket.send(Buffer.from("payload"));
    while (wire.length < 13) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(wire.subarray(2, 6).equals(Buffer.alloc(4))).toBe(isZero);
    expect(wire.subarray(6).toString() === "payload").toBe(isZero);
    webSocket.terminate();
  });

  it("takes no message that is longer than a session's frames", async () => {
    answer = (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (ws) => ws.send(Buffer.alloc(262_145)));
    const webSocket = await dial();
    const code = new Promise((resolve) => webSocket.once("close", resolve));
    webSocket.resume();
    expect(await code).toBe(1006);
  });
});
