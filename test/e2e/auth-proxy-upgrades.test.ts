import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import WebSocket from "ws";
import { startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";
import {
  acceptWebSocket,
  channelFrame as channel,
  execPath,
  serverClose as closeFrame,
  serverFrame as frame,
} from "../support/exec-frames";

const success = '{"metadata":{},"status":"Success"}';

interface Ending {
  readonly messages: string[];
  readonly code: number;
}

describe("auth proxy upgrades", () => {
  let harness: AuthProxyHarness;
  beforeAll(async () => {
    harness = await startAuthProxyHarness({ limits: { lingerMs: 1_000 } });
  });
  afterAll(async () => {
    expect(harness.apiserver.withoutUser()).toEqual([]);
    await harness.close();
  });

  /** Takes the next WebSocket upgrade; resolves with the apiserver's side of it. */
  const nextUpgrade = (protocol = "v5.channel.k8s.io", first: Buffer = Buffer.alloc(0)) =>
    new Promise<Socket>((resolve) => {
      harness.apiserver.upgrade = (request, socket) => {
        acceptWebSocket(request, socket, protocol, first);
        socket
          .on("error", () => undefined)
          .once("end", () => socket.end())
          .resume();
        resolve(socket);
      };
    });
  const dial = async (
    path = execPath,
    protocols = ["v5.channel.k8s.io"],
    headers: Record<string, string> | undefined = undefined,
  ) => {
    const socket = await harness.connect();
    return new WebSocket(`wss://plant-7${path}`, protocols, {
      createConnection: () => socket,
      headers: headers ?? { Authorization: await harness.authorization() },
      perMessageDeflate: true,
    });
  };
  const ending = (client: WebSocket) =>
    new Promise<Ending>((resolve) => {
      const messages: string[] = [];
      client.on("error", () => undefined);
      client.on("message", (data: Buffer) => messages.push(`${data[0]}:${data.subarray(1).toString()}`));
      client.once("close", (code) => resolve({ messages, code }));
    });
  const openExec = async (path?: string, protocol = "v5.channel.k8s.io") => {
    const upgraded = nextUpgrade(protocol);
    const client = await dial(path, [protocol]);
    const [upstream] = await Promise.all([upgraded, once(client, "open")]);
    return { client, upstream, end: ending(client) };
  };

  it("passes the bytes of an exec through, both ways, and its own close", async () => {
    const { client, upstream, end } = await openExec();
    expect(harness.apiserver.requests.at(-1)!.values("sec-websocket-extensions")).toEqual([]);
    expect(harness.apiserver.requests.at(-1)!.values("impersonate-user")).toHaveLength(1);
    client.send(Buffer.from("\0stdin"), { mask: false });
    const [sent] = (await once(upstream, "data")) as [Buffer];
    expect(sent.subarray(-6).toString()).toBe("\0stdin");
    upstream.write(
      Buffer.concat([channel(1, ""), channel(1, "hello"), channel(3, success), closeFrame(1000)]),
    );
    expect(await end).toEqual({ messages: ["1:", "1:hello", `3:${success}`], code: 1000 });
    upstream.end();
    expect(await harness.logged("request", { upgrade: "websocket", status: 101 })).toMatchObject({
      path: "/api/v1/namespaces/default/pods/web/exec?command=…&stdin=true&stdout=true",
    });
  });

  it("keeps the first frames that come in one packet with the 101", async () => {
    const upgraded = nextUpgrade(
      "v5.channel.k8s.io",
      Buffer.concat([channel(1, "early"), channel(3, success)]),
    );
    const client = await dial();
    const end = ending(client);
    (await upgraded).write(closeFrame(1000));
    expect(await end).toEqual({ messages: ["1:early", `3:${success}`], code: 1000 });
  });

  it.each([
    ["ends without a Close frame", (socket: Socket) => socket.end()],
    ["is reset", (socket: Socket) => socket.destroy()],
  ])("sends a Failure status and closes 1011 when the apiserver's side %s", async (_, lose) => {
    for (const protocol of ["v5.channel.k8s.io", "v4.channel.k8s.io"]) {
      const { upstream, end } = await openExec(execPath, protocol);
      upstream.write(channel(1, "half"), () => lose(upstream));
      const { messages, code } = await end;
      expect(code).toBe(1011);
      expect(messages[0]).toBe("1:half");
      expect(messages).toHaveLength(2);
      expect(JSON.parse(messages[1]!.slice(2))).toMatchObject({ kind: "Status", status: "Failure" });
      expect(messages[1]).toContain("ERR_APISERVER_LOST");
    }
    await harness.logged("request", { code: "ERR_APISERVER_LOST", end: "apiserver lost" });
  });

  it("sends a Failure status ahead of an orderly close that no status came before", async () => {
    const { upstream, end } = await openExec();
    upstream.write(Buffer.concat([channel(1, "half"), closeFrame(1000)]));
    const { messages, code } = await end;
    expect(code).toBe(1000);
    expect(messages[1]).toContain("ERR_APISERVER_LOST");
    upstream.end();
  });

  it("says nothing more after a status, and still does not close in order for the apiserver", async () => {
    const { upstream, end } = await openExec();
    upstream.write(channel(3, success), () => upstream.end());
    expect(await end).toEqual({ messages: [`3:${success}`], code: 1011 });
  });

  it("aborts the connection when the apiserver is lost within a frame", async () => {
    const { upstream, end } = await openExec();
    upstream.write(channel(1, "whole frame").subarray(0, 6), () => upstream.end());
    expect(await end).toEqual({ messages: [], code: 1006 });
  });

  it("does not take channel 3 of a port-forward for a status", async () => {
    const path = "/api/v1/namespaces/default/pods/web/portforward?ports=80";
    const { upstream, end } = await openExec(path, "v4.channel.k8s.io");
    upstream.write(channel(0, "data"), () => upstream.end());
    expect(await end).toEqual({ messages: ["0:data"], code: 1011 });
  });

  it("drops the apiserver's side when the caller is lost", async () => {
    const { client, upstream } = await openExec();
    const gone = once(upstream, "end");
    client.terminate();
    upstream.resume();
    await gone;
    upstream.end();
    expect(await harness.logged("request", { end: "caller ended" })).toMatchObject({ status: 101 });
  });

  it("holds the apiserver back while the caller does not read", async () => {
    const { client, upstream, end } = await openExec();
    client.pause();
    const block = frame(2, Buffer.alloc(60_000, 1));
    let written = 0;
    const write = () => {
      while (written < 2_000) {
        written += 1;
        if (!upstream.write(block)) return void upstream.once("drain", write);
      }
      upstream.write(Buffer.concat([channel(3, success), closeFrame(1000)]));
    };
    write();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(written).toBeLessThan(500);
    client.resume();
    const { messages, code } = await end;
    expect([messages.length, code]).toEqual([2_001, 1000]);
    upstream.end();
  });

  it("accepts a token in the WebSocket subprotocol and does not pass it on", async () => {
    const token = await harness.issuer.mint();
    const bearer = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
    const upgraded = nextUpgrade();
    const client = await dial(execPath, [bearer, "v5.channel.k8s.io"], {});
    const upstream = await upgraded;
    await once(client, "open");
    const request = harness.apiserver.requests.at(-1)!;
    expect(request.values("sec-websocket-protocol")).toEqual(["v5.channel.k8s.io"]);
    expect(request.values("impersonate-user")).toHaveLength(1);
    expect(Buffer.concat(harness.apiserver.rawBytes()).toString("latin1")).not.toContain("base64url.bearer");
    client.terminate();
    upstream.destroy();
  });

  /** Sends raw bytes over TLS and reads to the end of the connection. */
  const exchange = async (text: string) => {
    const socket = await harness.connect();
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    socket.write(text, "latin1");
    await Promise.race([once(socket, "end"), once(socket, "close")]);
    return received;
  };
  const spdy = async (more = "", method = "POST") =>
    `${method} ${execPath} HTTP/1.1\r\nHost: a\r\nAuthorization: ${await harness.authorization()}\r\n` +
    `Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n` +
    `X-Stream-Protocol-Version: v3.channel.k8s.io\r\n${more}\r\n`;

  it("carries SPDY as opaque bytes, and audits it as such", async () => {
    harness.apiserver.upgrade = (_, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
      socket.write(Buffer.from("\x80\x03first", "latin1"));
      socket.on("error", () => undefined).on("data", (chunk: Buffer) => socket.end(chunk));
    };
    const answer = await exchange(`${await spdy("Content-Length: 0\r\n")}\x80\x03hello`);
    expect(answer).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(answer.slice(answer.indexOf("\r\n\r\n") + 4)).toBe("\x80\x03first\x80\x03hello");
    expect(harness.apiserver.requests.at(-1)!.values("x-stream-protocol-version")).toHaveLength(2);
    await harness.logged("request", { upgrade: "SPDY/3.1", status: 101 });
    expect(await harness.proxy.metrics.registry.metrics()).toMatch(
      /requests_total\{[^}]*upgrade="SPDY\/3.1"\} [1-9]/,
    );
  });

  it("passes on any other answer than 101 and closes, whatever was sent behind the request", async () => {
    harness.apiserver.upgrade = (_, socket) =>
      socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-Audit: 1\r\n\r\ndenied");
    const before = harness.apiserver.requests.length;
    const smuggled = "GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nImpersonate-User: system:admin\r\n\r\n";
    const answer = await exchange((await spdy()) + smuggled);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
    expect(answer).toMatch(/denied$/);
    expect(harness.apiserver.requests).toHaveLength(before + 1);
    expect(Buffer.concat(harness.apiserver.rawBytes()).toString("latin1")).not.toContain("system:admin");
  });

  it("answers an upgrade by a Status while the apiserver is away", async () => {
    await harness.apiserver.kill();
    const answer = await exchange(await spdy());
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toContain("Retry-After: 1");
    expect(answer).toContain("ERR_APISERVER_UNREACHABLE");
    await harness.apiserver.restart();
  });

  it("asks again with its new token when the apiserver refuses the old one", async () => {
    writeFileSync(harness.tokenFile, "own-token-2");
    const asked: (string | undefined)[] = [];
    harness.apiserver.upgrade = (request, socket) => {
      asked.push(request.headers.authorization);
      const status = asked.at(-1) === "Bearer own-token-2" ? "403 Forbidden" : "401 Unauthorized";
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
    };
    expect(await exchange(await spdy())).toMatch(/^HTTP\/1.1 403 /);
    expect(asked).toEqual(["Bearer own-token-1", "Bearer own-token-2"]);
    writeFileSync(harness.tokenFile, "own-token-1");
    harness.apiserver.upgrade = (_, socket) =>
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    const refused = await exchange(await spdy());
    expect(refused).toMatch(/^HTTP\/1.1 503 /);
    expect(refused).toContain("ERR_APISERVER_REFUSED_PROXY");
  });

  it("does not join what the apiserver switched to something else", async () => {
    harness.apiserver.upgrade = (_, socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nsecret");
    expect(await exchange(await spdy())).toBe("");
  });

  it("refuses SPDY when the operator has turned it off", async () => {
    const strict = await startAuthProxyHarness({ upgrades: { spdy: "refuse" } });
    try {
      const socket = await strict.connect();
      socket.write((await spdy()).replace(/Bearer \S+/, await strict.authorization()));
      let answer = "";
      for await (const chunk of socket) answer += String(chunk);
      expect(answer).toMatch(/^HTTP\/1.1 403 /);
      expect(answer).toContain("ERR_AUTH_PROXY_UPGRADE_REFUSED");
      expect(strict.apiserver.requests.filter(({ method }) => method === "POST")).toEqual([]);
    } finally {
      await strict.close();
    }
  });

  it("answers a refused handshake so that clients can read it", async () => {
    const client = await dial(execPath, ["v5.channel.k8s.io"], { Authorization: "Bearer nonsense" });
    client.on("error", () => undefined);
    const [, response] = (await once(client, "unexpected-response")) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(401);
    client.terminate();
  });
});
