import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type { AcceptRequest } from "../../../src/hybrid-connections/accept-request";
import {
  createListener,
  type Listener,
  type ListenerOptions,
} from "../../../src/hybrid-connections/listener";
import type { LogFields, Logger } from "../../../src/runtime/logger";
import { silentLogger } from "../../../src/runtime/logger";
import { eventually } from "../../support/eventually";

/** What a listener sees of a relay: handshakes that are answered as a test says, and control messages. */
class ScriptedRelay {
  readonly handshakes: { url: string; token: string | undefined; at: number }[] = [];
  readonly channels: WebSocket[] = [];
  /** Text messages that came over control channels. */
  readonly messages: string[] = [];
  /** Rendezvous that were dialled: their targets, with the WebSocket if it was let in. */
  readonly rendezvous: { url: string; webSocket?: WebSocket; protocol?: string | undefined }[] = [];
  /** Refuses handshakes with this status line while set. */
  refusal: string | undefined;
  /** Whether pings are answered. */
  answersPings = true;
  readonly #server: Server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true });

  async start(): Promise<void> {
    this.#server.on("upgrade", (request, socket, head) => {
      const url = request.url ?? "";
      const isListen = url.includes("sb-hc-action=listen");
      const token = request.headers["servicebusauthorization"] as string | undefined;
      if (isListen) this.handshakes.push({ url, token, at: performance.now() });
      if (this.refusal !== undefined) return void socket.end(`HTTP/1.1 ${this.refusal}\r\n\r\n`);
      if (!isListen && url.includes("statusCode")) {
        this.rendezvous.push({ url });
        return void socket.end("HTTP/1.1 410 Gone\r\n\r\n");
      }
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (!isListen) {
          return void this.rendezvous.push({
            url,
            webSocket,
            protocol: request.headers["sec-websocket-protocol"],
          });
        }
        this.channels.push(webSocket);
        webSocket.on("message", (data: Buffer) => this.messages.push(data.toString()));
        if (!this.answersPings) webSocket.pause();
      });
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  address(query = "sb-hc-action=accept&sb-hc-rendezvous=key"): string {
    return `${this.url.href.replace("http", "ws")}$hc/plant-7?${query}`;
  }

  accept(address = this.address(), more: object = {}): void {
    const accept = { address, id: "their-id", connectHeaders: { Host: "x" }, ...more };
    this.channels.at(-1)!.send(JSON.stringify({ accept }));
  }

  async close(): Promise<void> {
    for (const { webSocket } of this.rendezvous) webSocket?.terminate();
    for (const channel of this.channels) channel.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

describe("a listener", () => {
  let relay: ScriptedRelay;
  const listeners: Listener[] = [];
  const events: [string, LogFields][] = [];
  const logger: Logger = {
    ...silentLogger,
    ...Object.fromEntries(
      ["info", "warn", "error"].map((level) => [
        level,
        (event: string, fields: LogFields = {}) => events.push([event, fields]),
      ]),
    ),
  };
  const named = (name: string) => events.filter(([event]) => event === name).map(([, fields]) => fields);

  beforeEach(async () => {
    relay = new ScriptedRelay();
    await relay.start();
  });
  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close();
    await relay.close();
    events.splice(0);
  });

  async function listen(options: Partial<ListenerOptions> = {}, isRegistered = true): Promise<Listener> {
    const listener = createListener({
      relayUrl: relay.url,
      cluster: "emea/plant 7",
      id: "11111111-2222",
      authorization: () => Promise.resolve("t0ken"),
      logger,
      ...options,
    });
    listeners.push(listener);
    listener.start();
    if (isRegistered) await eventually(() => listener.registered);
    return listener;
  }
  async function nextRequest(
    listener: Listener,
    ...args: Parameters<ScriptedRelay["accept"]>
  ): Promise<AcceptRequest> {
    const request = new Promise<AcceptRequest>((resolve) => listener.onAccept(resolve));
    relay.accept(...args);
    return request;
  }

  it("registers under its id with its token in the header, and says so", async () => {
    const listener = await listen();
    expect(relay.handshakes).toMatchObject([
      { url: "/$hc/emea/plant%207?sb-hc-action=listen&sb-hc-id=11111111-2222", token: "t0ken" },
    ]);
    expect(listener.registered).toBe(true);
    expect(named("relay.registered")).toEqual([{ listenerId: "11111111-2222" }]);
  });

  it("comes back for ever when it is refused or lost, with growing pauses and a fresh token each time", async () => {
    relay.refusal = "401 No";
    let count = 0;
    const listener = await listen({ authorization: () => Promise.resolve(`t${(count += 1)}`) }, false);
    const lost: string[] = [];
    listener.on("lost", (reason) => lost.push(reason));
    await eventually(() => relay.handshakes.length === 4);
    expect(relay.handshakes.map(({ token }) => token)).toEqual(["t1", "t2", "t3", "t4"]);
    const [first = 0, , third = 0] = named("relay.lost").map(({ retryInMs }) => Number(retryInMs));
    expect(first).toBeGreaterThanOrEqual(20);
    expect(first).toBeLessThanOrEqual(100);
    expect(third).toBeGreaterThanOrEqual(first * 2 - 2);
    expect(lost[0]).toBe("the relay answered 401 No");
    relay.refusal = undefined;
    await eventually(() => listener.registered);
    relay.channels[0]!.terminate();
    await eventually(() => relay.channels.length === 2);
    expect(lost.at(-1)).toBe("closed with 1006");
  });

  it("tries again when its token cannot be had", async () => {
    const outcomes = [Promise.reject(new Error("no file")), Promise.resolve("t0ken")];
    await listen({ authorization: () => outcomes.shift()! });
    expect(named("relay.lost")).toMatchObject([{ reason: "no file" }]);
  });

  it("tells what the relay said when it closes the channel", async () => {
    await listen();
    relay.channels[0]!.close(1008, "the token has expired");
    await eventually(() => relay.channels.length === 2);
    expect(named("relay.lost")).toMatchObject([{ reason: "closed with 1008 the token has expired" }]);
  });

  it("gives up a handshake that has no answer in time", async () => {
    const silent = createServer()
      .on("upgrade", () => undefined)
      .listen(0, "127.0.0.1");
    await once(silent, "listening");
    const relayUrl = new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    await listen({ relayUrl, handshakeTimeoutMs: 30 }, false);
    await eventually(() => named("relay.lost").length > 1);
    expect(named("relay.lost")[0]!["reason"]).toBe("no answer to the handshake within 30 ms");
    silent.closeAllConnections();
    silent.close();
  });

  it("sends a new token down the channel before the old one ends", async () => {
    let count = 0;
    await listen({ authorization: () => Promise.resolve(`t${(count += 1)}`), renewEveryMs: 20 });
    await eventually(() => relay.messages.length >= 2);
    expect(relay.messages.slice(0, 2).map((text) => JSON.parse(text) as unknown)).toEqual([
      { renewToken: { token: "t2" } },
      { renewToken: { token: "t3" } },
    ]);
  });

  it("pings, and takes a channel for dead that has been silent for two of them", async () => {
    relay.answersPings = false;
    await listen({ pingEveryMs: 20 });
    await eventually(() => relay.channels.length === 2);
    expect(named("relay.lost")[0]!["reason"]).toBe("closed with 1006");
  });

  it("keeps a channel that answers its pings", async () => {
    await listen({ pingEveryMs: 60 });
    let pings = 0;
    relay.channels[0]!.on("ping", () => (pings += 1));
    await eventually(() => pings > 4);
    expect(relay.channels).toHaveLength(1);
  });

  it("hands on each sender with what the relay says of it", async () => {
    const listener = await listen();
    const request = await nextRequest(listener, undefined, {
      remoteEndpoint: { address: "192.0.2.1", port: 4 },
    });
    expect(request).toMatchObject({
      id: "their-id",
      connectHeaders: { Host: "x" },
      remoteEndpoint: { address: "192.0.2.1", port: 4 },
    });
    expect(await nextRequest(listener)).toMatchObject({
      remoteEndpoint: { address: undefined, port: undefined },
    });
    await request.reject(503, "not now");
    expect(relay.rendezvous).toMatchObject([
      { url: expect.stringMatching(/&sb-hc-statusCode=503&sb-hc-statusDescription=not%20now$/) as string },
    ]);
  });

  it("accepts with the subprotocol that it is given, and loses nothing that comes before it listens", async () => {
    const listener = await listen();
    const request = await nextRequest(listener);
    const webSocket = await request.accept("cluster-connect.v1");
    expect(relay.rendezvous).toMatchObject([
      {
        url: "/$hc/plant-7?sb-hc-action=accept&sb-hc-rendezvous=key",
        protocol: "cluster-connect.v1",
      },
    ]);
    relay.rendezvous[0]!.webSocket!.send("early");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const message = once(webSocket, "message");
    webSocket.resume();
    expect(String((await message)[0])).toBe("early");
    webSocket.terminate();
  });

  it("says when a rendezvous does not take it", async () => {
    const listener = await listen();
    const request = await nextRequest(listener);
    relay.refusal = "403 Used";
    await expect(request.accept("x")).rejects.toMatchObject({ status: 403, reason: "Used" });
  });

  it.each([
    ["another host", "ws://127.0.0.2:1/$hc/a?x"],
    ["another port", "ws://127.0.0.1:1/$hc/a?x"],
    ["no address", "kubernetes.default"],
  ])("dials no rendezvous on %s, and logs no more of it than its host", async (_, address) => {
    const listener = await listen();
    const asked = jest.fn();
    listener.onAccept(asked);
    relay.accept(address);
    await eventually(() => named("rendezvous.refused").length === 1);
    expect(asked).not.toHaveBeenCalled();
    const host = URL.canParse(address) ? new URL(address).host : "(not an address)";
    expect(named("rendezvous.refused")).toEqual([{ host, id: "their-id" }]);
  });

  it("ignores what it does not know, and goes on", async () => {
    const listener = await listen();
    for (const text of ["no JSON", "{}", '{"request":{"address":"x"}}', '{"accept":{"address":""}}']) {
      relay.channels[0]!.send(text);
    }
    relay.channels[0]!.send(Buffer.from(JSON.stringify({ accept: { address: relay.address(), id: "x" } })));
    expect((await nextRequest(listener)).id).toBe("their-id");
  });

  it("deregisters with a Close frame, and does not come back", async () => {
    const listener = await listen();
    const closed = once(relay.channels[0]!, "close");
    await listener.close();
    expect(await closed).toEqual([1000, Buffer.from("going away")]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(relay.handshakes).toHaveLength(1);
    expect(listener.registered).toBe(false);
  });

  it("does not wait for a relay that does not answer its Close", async () => {
    relay.answersPings = false;
    const listener = await listen();
    const started = performance.now();
    await listener.close();
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});
