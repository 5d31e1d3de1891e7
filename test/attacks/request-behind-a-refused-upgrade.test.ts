/** CVE-2018-1002105: an upgrade that was refused, and a connection that is believed all the same. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { describeOnNodes } from "./fixture/describe-attack";
import {
  execByGet,
  execByPost,
  get,
  http1Text,
  http2Fields,
  sendBytes,
  sendHttp2Request,
} from "./fixture/requests";

const second = Buffer.from(
  "GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nImpersonate-User: system:intruder\r\nAuthorization: Bearer x\r\n\r\n",
);

describeOnNodes("a request behind an upgrade", (proxy) => {
  const refusal = proxyRefusal();
  beforeEach(() => {
    proxy.apiserver.upgrade = refusal("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}");
  });

  /** The upgrade, `tail` right behind it, and once more when the answer is there. */
  const sendBoth = async (kind: typeof execByGet, tail = second) => {
    const head = http1Text(kind, [], { authorization: proxy.caller.authorization });
    return sendBytes(proxy, Buffer.concat([head, tail]), { answers: 2, timeoutMs: 1_500 });
  };

  describe.each([
    ["exec by GET", execByGet],
    ["exec by POST", execByPost],
  ])("%s", (_, kind) => {
    it.each([
      ["403 with a length", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}", 403],
      ["200 with chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200],
      [
        "404 kept alive",
        "HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        404,
      ],
      ["301 to elsewhere", "HTTP/1.1 301 Moved\r\nLocation: https://evil\r\nContent-Length: 0\r\n\r\n", 301],
      [
        "500 and another answer behind it",
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        500,
      ],
    ])("has one answer when the apiserver says %s", async (__, text, status) => {
      proxy.apiserver.upgrade = refusal(text);
      const { statuses, end } = await sendBoth(kind);
      expect({ statuses, end }).toEqual({ statuses: [status], end: "closed" });
      expect(proxy.sent().map(({ target, spliced }) => [target, spliced.length])).toEqual([[kind.target, 0]]);
    });

    it("has one answer when it is refused here", async () => {
      const lines = kind.lines.map((line) => line.replace(/^Upgrade: .*/, "Upgrade: h2c"));
      const { statuses, end } = await sendBoth({ ...kind, lines });
      expect({ statuses, end }).toEqual({ statuses: [400], end: "closed" });
      expect(proxy.sent()).toHaveLength(0);
    });

    it.each([
      ["another protocol", "Upgrade: h2c\r\n"],
      ["none", ""],
    ])("is not joined when the apiserver switches to %s", async (__, line) => {
      proxy.apiserver.upgrade = refusal(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${line}\r\n`,
      );
      const { end } = await sendBoth(kind);
      expect(end).toBe("closed");
      expect(proxy.sent().map(({ spliced }) => spliced.length)).toEqual([0]);
    });

    it("is the new protocol's first bytes after a 101, never a request", async () => {
      const protocol = /^Upgrade: (.*)$/m.exec(kind.lines.join("\n"))![1]!;
      let received: Buffer = Buffer.alloc(0);
      proxy.apiserver.upgrade = (___, socket: Socket, head) => {
        received = head;
        socket.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
        );
        socket.once("end", () => socket.end());
      };
      const { text } = await sendBoth(kind);
      expect(text).toMatch(/^HTTP\/1\.1 101 /);
      expect(received.equals(second)).toBe(true);
    });
  });

  it("is answered on its own behind a plain request, by its own credential", async () => {
    const head = http1Text(get, [], { authorization: proxy.caller.authorization });
    const bare = Buffer.from("GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const { statuses } = await sendBytes(proxy, Buffer.concat([head, bare]), { answers: 2 });
    expect(statuses).toEqual([200, 401]);
    expect(proxy.sent()).toHaveLength(1);
  });

  it("is answered on its own behind one that was refused", async () => {
    const { authorization } = proxy.caller;
    const head = http1Text(get, ["Impersonate-User: system:intruder"], { authorization });
    const { statuses } = await sendBytes(
      proxy,
      Buffer.concat([head, http1Text(get, [], { authorization })]),
      {
        answers: 2,
      },
    );
    expect(statuses).toEqual([403, 200]);
    expect(proxy.sent()).toHaveLength(1);
  });

  it("shares no connection upstream with one that was refused there", async () => {
    for (let round = 0; round < 2; round += 1) await sendBoth(execByGet);
    const fields = http2Fields(get, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields })).status).toBe(200);
    const perConnection = proxy.apiserver
      .rawBytes()
      .map((bytes) => bytes.toString("latin1").match(/\/exec\?/g)?.length ?? 0);
    expect(Math.max(...perConnection)).toBe(1);
  });

  it.each([
    ["one request", 1],
    ["two requests", 2],
    ["many requests", 20],
  ])("does no harm as an upgrade behind %s that have no answer yet", async (_, count) => {
    for (const authorization of [undefined, "Bearer x", proxy.caller.authorization]) {
      for (const kind of [execByGet, execByPost]) {
        const head = http1Text(get, [], { authorization });
        const requests = Array.from({ length: count }, () => head);
        const upgrade = http1Text(kind, [], { authorization });
        const { end } = await sendBytes(proxy, Buffer.concat([...requests, upgrade]), { answers: 99 });
        expect(end).toBe("closed");
      }
    }
    expect(proxy.sent().filter(({ target }) => target === execByGet.target)).toEqual([]);
  });

  it("does no harm as an upgrade behind a request that lacks what HTTP/1.1 asks for", async () => {
    const hostless = Buffer.from("GET /api HTTP/1.1\r\n\r\n");
    const bytes = Buffer.concat([hostless, http1Text(execByPost, [], {})]);
    const { end, statuses } = await sendBytes(proxy, bytes, { answers: 99 });
    expect(end).toBe("closed");
    expect(statuses.length).toBeLessThan(2);
  });

  it("does no harm as a CONNECT behind a request that has no answer yet", async () => {
    const connect = Buffer.from("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n");
    const { end } = await sendBytes(proxy, Buffer.concat([http1Text(get, [], {}), connect]), { answers: 99 });
    expect(end).toBe("closed");
  });

  it("goes no further when a plain request is answered by a 101", async () => {
    proxy.apiserver.handle = (request) => {
      request.socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
    };
    const head = http1Text(get, [], { authorization: proxy.caller.authorization });
    const { statuses } = await sendBytes(proxy, Buffer.concat([head, second]), {
      answers: 2,
      timeoutMs: 1_500,
    });
    expect(statuses[0]).toBe(502);
    expect(proxy.sent()).toHaveLength(1);
  });
});

function proxyRefusal() {
  return (text: string) => (_: unknown, socket: Socket) => {
    socket.resume().end(text);
    void once(socket, "close").catch(() => undefined);
  };
}
