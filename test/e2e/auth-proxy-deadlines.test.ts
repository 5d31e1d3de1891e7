/** What still runs when its time is over is cut, and no client can take the cut for an end. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import WebSocket from "ws";
import { startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";
import { acceptWebSocket, channelFrame, execPath, serverFrame } from "../support/exec-frames";

const watchPath = "/api/v1/pods?watch=1";
/** From the token's making, or the request's beginning, to the cut. */
const lifeMs = 1_500;
const success = '{"metadata":{},"status":"Success"}';

describe.each([
  ["at its token's end", { end: "expiry" }, lifeMs],
  ["at an age", { end: "maxAge", maxAgeMs: lifeMs }, 300_000],
] as const)("a request that is cut %s", (_, streams, tokenLifeMs) => {
  let harness: AuthProxyHarness;
  beforeAll(async () => {
    harness = await startAuthProxyHarness({ streams, limits: { lingerMs: 800 } });
  });
  afterAll(async () => {
    expect(harness.apiserver.withoutUser()).toEqual([]);
    await harness.close();
  });

  const authorization = async () =>
    `Bearer ${await harness.issuer.mint({ exp: (Date.now() + tokenLifeMs) / 1_000 })}`;
  /** Answers with the head of a watch and its first event; resolves with the apiserver's side. */
  const nextWatch = () =>
    new Promise<ServerResponse>((resolve) => {
      harness.apiserver.handle = (request, response) => {
        response.writeHead(200, { "Content-Type": "application/json;stream=watch" });
        response.write("one");
        resolve(response);
      };
    });

  it("is a watch over HTTP/1.1 whose last chunk never comes", async () => {
    const answered = nextWatch();
    const socket = await harness.connect();
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    socket.write(
      `GET ${watchPath} HTTP/1.1\r\nHost: a\r\nAuthorization: ${await authorization()}\r\n\r\n`,
      "latin1",
    );
    const upstream = await answered;
    const dropped = once(upstream, "close");
    await once(socket, "close");
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n3\r\none\r\n$/);
    await dropped;
    await harness.logged("request", { code: "ERR_AUTH_PROXY_STREAM_EXPIRED", status: 200 });
  });

  it("is a watch over HTTP/2 that is reset, beside others that go on", async () => {
    const session = await harness.http2();
    const answered = nextWatch();
    const watch = session.request({ ":path": watchPath, authorization: await authorization() });
    watch.on("error", () => undefined).resume();
    await answered;
    await new Promise((resolve) => watch.once("close", resolve));
    expect(watch.rstCode).not.toBe(0);
    harness.apiserver.handle = (request, response) => response.end("{}");
    const next = session.request({ ":path": "/api", authorization: await authorization() });
    next.resume();
    await once(next, "close");
    expect(next.rstCode).toBe(0);
    session.close();
  });

  it("is answered by a Status while there is no answer yet, not to be tried again", async () => {
    harness.apiserver.handle = () => undefined;
    const answer = await harness.fetch({
      method: "POST",
      headers: { Authorization: await authorization() },
      body: "{}",
    });
    expect(answer.status).toBe(504);
    expect(answer.headers["retry-after"]).toBeUndefined();
    expect(JSON.parse(answer.body)).toMatchObject({
      kind: "Status",
      reason: "Timeout",
      details: { causes: [{ reason: "ERR_AUTH_PROXY_STREAM_EXPIRED" }] },
    });
  });

  const openExec = async (path = execPath, protocol = "v5.channel.k8s.io") => {
    const upgraded = new Promise<Socket>((resolve) => {
      harness.apiserver.upgrade = (request, socket) => {
        acceptWebSocket(request, socket, protocol);
        socket.on("error", () => undefined).resume();
        resolve(socket);
      };
    });
    const socket = await harness.connect();
    const client = new WebSocket(`wss://plant-7${path}`, [protocol], {
      createConnection: () => socket,
      headers: { Authorization: await authorization() },
    });
    const messages: string[] = [];
    client
      .on("error", () => undefined)
      .on("message", (data: Buffer) => messages.push(`${data[0]}:${data.subarray(1).toString()}`));
    const end = new Promise<{ messages: string[]; code: number; reason: string }>((resolve) =>
      client.once("close", (code, reason) => resolve({ messages, code, reason: reason.toString() })),
    );
    const [upstream] = await Promise.all([upgraded, once(client, "open")]);
    return { upstream, end };
  };

  it.each(["v5.channel.k8s.io", "v4.channel.k8s.io"])(
    "is an exec over %s that ends with a Failure status and 1011",
    async (protocol) => {
      const { upstream, end } = await openExec(execPath, protocol);
      const dropped = once(upstream, "end");
      upstream.write(channelFrame(1, "half"));
      const { messages, code, reason } = await end;
      expect(code).toBe(1011);
      expect(reason).toContain("ERR_AUTH_PROXY_STREAM_EXPIRED");
      expect(messages).toHaveLength(2);
      expect(messages[0]).toBe("1:half");
      expect(JSON.parse(messages[1]!.slice(2))).toMatchObject({ status: "Failure", code: 504 });
      await dropped;
      upstream.destroy();
      await harness.logged("request", { code: "ERR_AUTH_PROXY_STREAM_EXPIRED", end: "expired" });
    },
  );

  it("is an exec that had told its status, which stands, and closes 1011", async () => {
    const { upstream, end } = await openExec();
    upstream.write(channelFrame(3, success));
    expect(await end).toMatchObject({ messages: [`3:${success}`], code: 1011 });
  });

  it("is a port-forward that closes 1011, without a status among its bytes", async () => {
    const path = "/api/v1/namespaces/default/pods/web/portforward?ports=80";
    const { upstream, end } = await openExec(path, "v4.channel.k8s.io");
    upstream.write(channelFrame(0, "data"));
    expect(await end).toMatchObject({ messages: ["0:data"], code: 1011 });
  });

  it("is an exec in the middle of a message, which is waited for", async () => {
    const { upstream, end } = await openExec();
    upstream.write(serverFrame(2, "\u0001first, ", false));
    // Past the time, and short of lingerMs after it.
    await new Promise((resolve) => setTimeout(resolve, lifeMs + 100));
    upstream.write(Buffer.concat([serverFrame(0, "second"), channelFrame(1, "a third")]));
    const { messages, code } = await end;
    expect([messages[0], messages.length, code]).toEqual(["1:first, second", 2, 1011]);
    expect(messages[1]).toContain("Failure");
  });

  it("is dropped where a message does not end", async () => {
    const { upstream, end } = await openExec();
    upstream.write(channelFrame(1, "whole frame").subarray(0, 6));
    expect(await end).toMatchObject({ messages: [], code: 1006 });
  });

  it("is a SPDY connection that is dropped without an end", async () => {
    harness.apiserver.upgrade = (_request, socket) => {
      socket.on("error", () => undefined);
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nfirst",
      );
    };
    const socket = await harness.connect();
    socket.write(
      `POST ${execPath} HTTP/1.1\r\nHost: a\r\nAuthorization: ${await authorization()}\r\n` +
        "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
    );
    socket.resume();
    await once(socket, "close");
    await harness.logged("request", { upgrade: "SPDY/3.1", end: "expired" });
  });
});

describe("a request that may run on", () => {
  it("outlives its token, as Kubernetes has it", async () => {
    const harness = await startAuthProxyHarness();
    try {
      harness.apiserver.handle = (request, response) => {
        response.writeHead(200);
        response.write("one");
        setTimeout(() => response.end("two"), 2_300);
      };
      const token = await harness.issuer.mint({}, { lifetimeSeconds: 2 });
      const answer = await harness.fetch({
        path: watchPath,
        headers: { Authorization: `Bearer ${token}` },
      });
      expect(answer.body).toBe("onetwo");
    } finally {
      await harness.close();
    }
  });

  it("is not cut at all when it is over before its time", async () => {
    const harness = await startAuthProxyHarness({ streams: { end: "maxAge", maxAgeMs: 200 } });
    try {
      harness.apiserver.handle = (request, response) => response.end("{}");
      const kept = await harness.connect();
      const authorization = await harness.authorization();
      const ask = async () => {
        kept.write(`GET /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`);
        const [chunk] = (await once(kept, "data")) as [Buffer];
        return chunk.toString("latin1").slice(0, 15);
      };
      expect(await ask()).toBe("HTTP/1.1 200 OK");
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await ask()).toBe("HTTP/1.1 200 OK");
    } finally {
      await harness.close();
    }
  });
});
