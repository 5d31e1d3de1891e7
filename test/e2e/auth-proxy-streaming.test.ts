import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";

const mebibyte = Buffer.alloc(1_048_576, 7);

/** Reads everything; says whether the end was one that the sender meant. */
async function readAll(stream: NodeJS.ReadableStream): Promise<{ text: string; whole: boolean }> {
  let text = "";
  let ended = false;
  stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  stream.on("error", () => undefined).once("end", () => (ended = true));
  await new Promise((resolve) => stream.once("close", resolve));
  // Node ends a reset HTTP/2 stream before it says so. A RST_STREAM after an END_STREAM would leave no code here.
  return { text, whole: ended && ((stream as ClientHttp2Stream).rstCode ?? 0) === 0 };
}

describe("auth proxy streaming", () => {
  let harness: AuthProxyHarness;
  beforeEach(async () => {
    harness = await startAuthProxyHarness({ limits: { uploadDrainMs: 300 } });
  });
  afterEach(async () => {
    expect(harness.apiserver.withoutUser()).toEqual([]);
    await harness.close();
  });

  const get = async (path = "/api/v1/pods?watch=1") => {
    const request = harness.request({ path, headers: { Authorization: await harness.authorization() } });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  };
  const get2 = async (path = "/api/v1/pods?watch=1") => {
    const session = await harness.http2();
    const stream = session.request({ ":path": path, authorization: await harness.authorization() });
    await once(stream, "response");
    return stream;
  };
  const openers: [string, (path?: string) => Promise<IncomingMessage | ClientHttp2Stream>][] = [
    ["HTTP/1.1", get],
    ["HTTP/2", get2],
  ];
  /** Resolves with the apiserver's side of the next request. */
  const nextAnswer = () =>
    new Promise<ServerResponse>((resolve) => {
      harness.apiserver.handle = (_, response) => {
        response.writeHead(200, { "Content-Type": "application/json;stream=watch" });
        response.flushHeaders();
        resolve(response);
      };
    });

  describe.each(openers)("over %s", (_, open) => {
    it("passes the head of a watch on before its first event, and each event at once", async () => {
      const answer = nextAnswer();
      const watch = await open();
      const upstream = await answer;
      for (const event of ["one", "two", "three"]) {
        upstream.write(event);
        const [chunk] = (await once(watch, "data")) as [Buffer];
        expect(chunk.toString()).toBe(event);
      }
      upstream.end();
      await once(watch, "end");
    });

    it("never ends a watch cleanly that the apiserver has not ended", async () => {
      for (const lose of [
        (socket: Socket) => socket.destroy(),
        // An end of the connection without the last chunk.
        (socket: Socket) => socket.end(),
      ]) {
        const answer = nextAnswer();
        const watch = await open();
        const upstream = await answer;
        upstream.write("one");
        await once(watch, "data");
        const rest = readAll(watch);
        lose(upstream.socket!);
        expect(await rest).toEqual({ text: "", whole: false });
        upstream.socket?.destroy();
      }
      await harness.logged("request", { code: "ERR_APISERVER_LOST", status: 200 });
    });

    it("does not take a close-delimited answer for a whole one", async () => {
      harness.apiserver.handle = (request) => {
        request.socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of it");
      };
      const { text, whole } = await readAll(await open("/api"));
      expect(whole).toBe(false);
      expect("half of it").toContain(text);
    });

    it("aborts an answer that ends before its Content-Length", async () => {
      harness.apiserver.handle = (request) => {
        request.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it");
      };
      expect((await readAll(await open("/api"))).whole).toBe(false);
    });

    it("gives a slow reader everything, without keeping it in memory", async () => {
      const total = 64;
      let written = 0;
      harness.apiserver.handle = (__, response) => {
        response.writeHead(200, { "Content-Length": String(total * mebibyte.length) });
        const write = () => {
          while (written < total) {
            written += 1;
            if (!response.write(mebibyte)) return void response.once("drain", write);
          }
          response.end();
        };
        write();
      };
      const reader = await open("/api");
      reader.pause();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(written).toBeLessThan(24);
      let received = 0;
      for await (const chunk of reader) received += (chunk as Buffer).length;
      expect(received).toBe(total * mebibyte.length);
    });

    it("drops the apiserver's side when the caller goes away", async () => {
      const answer = nextAnswer();
      const watch = await open();
      const upstream = await answer;
      watch.destroy();
      await once(upstream, "close");
      await harness.logged("request", { abandoned: true });
    });
  });

  it("passes a large upload on unharmed, over either protocol", async () => {
    const body = randomBytes(12 * 1_048_576);
    const digest = createHash("sha256").update(body).digest("hex");
    harness.apiserver.handle = (request, response) => {
      const hash = createHash("sha256");
      request
        .on("data", (chunk: Buffer) => hash.update(chunk))
        .on("end", () => response.end(hash.digest("hex")));
    };
    expect((await harness.fetch({ method: "POST", body })).body).toBe(digest);
    const session = await harness.http2();
    const authorization = await harness.authorization();
    const stream = session.request({ ":method": "POST", ":path": "/api", authorization });
    stream.end(body);
    expect((await readAll(stream)).text).toBe(digest);
  });

  it("holds an upload back while the apiserver does not read", async () => {
    harness.apiserver.handle = (request) => void request.pause();
    const request = harness.request({
      method: "POST",
      headers: { Authorization: await harness.authorization() },
    });
    let written = 0;
    const write = () => {
      while (written < 64) {
        written += 1;
        if (!request.write(mebibyte)) return void request.once("drain", write);
      }
    };
    write();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(written).toBeLessThan(24);
    request.destroy();
  });

  it("does not end an upload that its sender has not ended", async () => {
    const ended: boolean[] = [];
    let arrived: () => void = () => undefined;
    harness.apiserver.handle = (request) => {
      request.once("data", () => arrived());
      request.once("end", () => ended.push(true)).once("close", () => ended.push(false));
      request.on("error", () => undefined);
    };
    const authorization = await harness.authorization();
    const seen = () => new Promise<void>((resolve) => (arrived = resolve));
    let first = seen();
    const request = harness.request({ method: "POST", headers: { Authorization: authorization } });
    request.write("half");
    await first;
    request.destroy();
    await harness.logged("request", { protocol: "HTTP/1.1", abandoned: true });
    first = seen();
    const session = await harness.http2();
    const stream = session.request({ ":method": "POST", ":path": "/api", authorization });
    stream.on("error", () => undefined).write("half");
    await first;
    stream.destroy(new Error("cancelled"));
    await harness.logged("request", { protocol: "HTTP/2" });
    while (ended.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ended).toEqual([false, false]);
  });

  it.each(["HTTP/1.1", "HTTP/2"])(
    "prefers an early 413 to the reset that follows it, over %s",
    async (protocol) => {
      harness.apiserver.handle = (request, response) => {
        request.once("data", () => {
          response
            .writeHead(413, { "Content-Type": "application/json", Connection: "close" })
            .end('{"code":413}');
          setTimeout(() => request.socket.destroy(), 50);
        });
      };
      const authorization = await harness.authorization();
      if (protocol === "HTTP/2") {
        const session = await harness.http2();
        const stream = session.request({ ":method": "POST", ":path": "/api", authorization });
        stream.on("error", () => undefined);
        stream.end(Buffer.alloc(10_485_760));
        const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
        expect(headers[":status"]).toBe(413);
        return;
      }
      const request = harness.request({ method: "POST", headers: { Authorization: authorization } });
      request.end(Buffer.alloc(10_485_760));
      const [response] = (await once(request, "response")) as [IncomingMessage];
      expect(response.statusCode).toBe(413);
      response.resume();
    },
  );

  it("answers Expect: 100-continue itself, and only for a request that it lets through", async () => {
    harness.apiserver.handle = (request, response) => {
      request.resume().once("end", () => response.end("ok"));
    };
    const send = async (authorization: string) => {
      const request = harness.request({
        method: "POST",
        headers: { Authorization: authorization, Expect: "100-continue", "Content-Length": "4" },
      });
      let continued = false;
      request.once("continue", () => {
        continued = true;
        request.end("body");
      });
      request.flushHeaders();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      response.resume();
      request.destroy();
      return [continued, response.statusCode];
    };
    expect(await send(await harness.authorization())).toEqual([true, 200]);
    expect(harness.apiserver.requests.at(-1)!.values("expect")).toEqual([]);
    expect(await send("Bearer none")).toEqual([false, 401]);
  });

  it("answers 503 with Retry-After when the apiserver is not there, and heals when it is", async () => {
    await harness.apiserver.kill();
    const answer = await harness.fetch({ method: "POST", body: "{}" });
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(JSON.parse(answer.body)).toMatchObject({
      reason: "ServiceUnavailable",
      details: { causes: [{ reason: "ERR_APISERVER_UNREACHABLE" }], retryAfterSeconds: 1 },
    });
    await harness.apiserver.restart();
    expect((await harness.fetch({})).status).toBe(200);
  });

  it("answers 502 without Retry-After when the apiserver is lost after it may have acted", async () => {
    harness.apiserver.handle = (request) => request.socket.destroy();
    const answer = await harness.fetch({ method: "POST", body: "{}" });
    expect(answer.status).toBe(502);
    expect(answer.headers["retry-after"]).toBeUndefined();
    expect(answer.body).toContain("ERR_APISERVER_LOST");
  });

  it("sends a read again when the kept connection it was sent on is gone", async () => {
    await harness.fetch({});
    let calls = 0;
    harness.apiserver.handle = (request, response) => {
      calls += 1;
      if (calls === 1) request.socket.destroy();
      else response.end("again");
    };
    expect((await harness.fetch({})).body).toBe("again");
    calls = 0;
    expect((await harness.fetch({ method: "DELETE" })).status).toBe(502);
    expect(calls).toBe(1);
  });
});
