/** Callers who begin and do not go on, in numbers: each is given up in time, and what they may hold is bounded. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { proxyHeader } from "../support/auth-proxy-harness";
import { eventually } from "../support/eventually";
import { exchangeBytes, untilGone } from "./fixture/answer";
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Preface } from "./fixture/raw-http2";
import { execByGet, get, http1Text, http2Fields, sendBytes } from "./fixture/requests";

const within = async (ms: number, gone: Promise<void>) => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(() => resolve("still there"), ms)));
  expect(await Promise.race([gone.then(() => "gone"), late])).toBe("gone");
  clearTimeout(timer);
};

const afterHeader = async (proxy: AttackedAuthProxy) => {
  const socket = await proxy.connectRaw();
  socket.write(proxyHeader());
  return socket;
};
const say = (socket: Socket, text: string | Buffer) => {
  socket.write(text);
  return socket;
};

describeOnNodes(
  "callers who do not go on",
  (proxy) => {
    it.each<[string, () => Promise<Socket>]>([
      ["before the PROXY header", () => proxy.connectRaw()],
      ["in the PROXY header", async () => say(await proxy.connectRaw(), "\r\n\r\n\0")],
      ["before TLS", () => afterHeader(proxy)],
      ["in the ClientHello", async () => say(await afterHeader(proxy), "\x16\x03\x01\x02\x00\x01")],
      ["before a request", () => proxy.connect()],
      ["in a request line", async () => say(await proxy.connect(), "GET /api")],
      ["in the headers", async () => say(await proxy.connect(), "GET /api HTTP/1.1\r\nHost: a\r\nX-")],
      ["in HTTP/2's preface", async () => say(await proxy.connect("h2"), http2Preface.subarray(0, 9))],
      ["behind HTTP/2's preface", async () => say(await proxy.connect("h2"), http2Preface)],
    ])("are given up: %s", async (_, begin) => {
      await within(4_000, untilGone(await begin()));
      expect(proxy.sent()).toHaveLength(0);
    });

    it("are given up between two requests", async () => {
      const socket = await proxy.connect();
      socket.write(http1Text(get, [], { authorization: proxy.caller.authorization }));
      await once(socket, "data");
      await within(4_000, untilGone(socket));
    });

    it("are given up in an upload that is refused, once the answer is there", async () => {
      const socket = await proxy.connect();
      const text = http1Text({ ...get, method: "POST" }, ["Content-Length: 100000"], {
        authorization: "Bearer none",
      });
      const answer = await exchangeBytes(socket, Buffer.concat([text, Buffer.alloc(10)]));
      expect(answer.statuses).toEqual([401]);
    });

    it("are told so when the apiserver does not answer their upgrade", async () => {
      proxy.apiserver.upgrade = (_, socket) => void socket.resume().once("end", () => socket.end());
      const { authorization } = proxy.caller;
      const { statuses } = await sendBytes(proxy, http1Text(execByGet, [], { authorization }));
      expect(statuses).toEqual([502]);
      expect(proxy.sent()).toHaveLength(1);
    });
  },
  () => ({
    limits: {
      lingerMs: 300,
      uploadDrainMs: 300,
      proxyHeaderTimeoutMs: 300,
      tlsHandshakeTimeoutMs: 300,
      headersTimeoutMs: 300,
      keepAliveTimeoutMs: 300,
      upgradeAnswerTimeoutMs: 300,
    },
  }),
);

describeOnNodes(
  "callers who do not begin",
  (proxy) => {
    const begin = async (...pieces: readonly Buffer[]) => {
      const socket = await proxy.connect("h2");
      for (const piece of pieces) socket.write(piece);
      return socket;
    };
    const beforeSettings = http2Preface.subarray(0, -15);

    it.each<[string, () => Promise<Socket>]>([
      ["a request over HTTP/1.1", () => proxy.connect()],
      ["a session over HTTP/2", () => begin()],
      ["a session over HTTP/2 with the whole of its preface", () => begin(http2Preface.subarray(0, 9))],
      ["a session over HTTP/2 with SETTINGS", () => begin(beforeSettings)],
    ])("may not be idle for as long as those who have: %s", async (_, connect) => {
      await within(4_000, untilGone(await connect()));
      expect(proxy.sent()).toHaveLength(0);
    });

    it("are not who is idle behind the beginning", async () => {
      const socket = await begin(http2Preface);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const fields = http2Fields(get, [], proxy.caller.authorization);
      socket.write(encodeRequest({ fields }));
      await eventually(() => proxy.sent().length === 1);
    });
  },
  () => ({ limits: { lingerMs: 300, headersTimeoutMs: 800 } }),
);

describeOnNodes(
  "callers in numbers",
  (proxy) => {
    /** One after the other: more handshakes at once would be too many. */
    const connected = async (count: number, connect: () => Promise<Socket>) => {
      const sockets = [];
      while (sockets.length < count) sockets.push(await connect());
      return sockets;
    };
    const isServed = async () => {
      const { authorization } = proxy.caller;
      return (await sendBytes(proxy, http1Text(get, [], { authorization }))).statuses;
    };

    it("who have not finished their handshake are no more than may be", async () => {
      const waiting = await connected(3, () => proxy.connectRaw());
      await within(2_000, untilGone(await proxy.connectRaw()));
      expect(waiting.some(({ destroyed, readableEnded }) => destroyed || readableEnded)).toBe(false);
      for (const socket of waiting) socket.destroy();
      const deadline = Date.now() + 2_000;
      const isBack = () => isServed().catch(() => undefined);
      while ((await isBack()) === undefined) expect(Date.now()).toBeLessThan(deadline);
    });

    it("who have are no more than may be, either", async () => {
      const idle = await connected(8, () => proxy.connect());
      expect((await proxy.counts()).connections).toBe(8);
      await within(2_000, untilGone(await proxy.connectRaw()));
      expect(idle.some(({ destroyed, readableEnded }) => destroyed || readableEnded)).toBe(false);
    });

    it.each([
      ["a request", get],
      ["an exec", execByGet],
    ])("who wait for their answers get no more going than may be: %s", async (_, kind) => {
      const { handle } = proxy.apiserver;
      proxy.apiserver.handle = (_request, response) => void response.writeHead(200).write("{}");
      const { authorization } = proxy.caller;
      const held = await connected(4, () => proxy.connect());
      for (const socket of held) socket.write(http1Text(get, [], { authorization }));
      await eventually(() => proxy.sent().length === 4);
      const { statuses, text } = await sendBytes(proxy, http1Text(kind, [], { authorization }));
      expect(statuses).toEqual([429]);
      expect(text).toContain("Retry-After: 1");
      for (const socket of held) socket.destroy();
      proxy.apiserver.handle = handle;
      const deadline = Date.now() + 5_000;
      while ((await isServed())[0] !== 200) expect(Date.now()).toBeLessThan(deadline);
    });
  },
  () => ({ limits: { lingerMs: 300, handshakes: 3, connections: 8, requests: 4 } }),
);
