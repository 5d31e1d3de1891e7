/** HTTP/2 sessions that are held for nothing: idle ones, ones that no longer answer, ones whose caller has ended. */
import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { testSession } from "../support/auth-proxy-harness";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Preface } from "./fixture/raw-http2";
import { get, http2Fields } from "./fixture/requests";

const watch = "/api/v1/pods?watch=true";
const goAway = 7;

/** The types of all frames in what has come so far. */
function frameTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]!);
  return types;
}

/** What a socket has been sent; it answers nothing. */
function collected(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

describeOnNodes(
  "sessions over HTTP/2",
  (proxy) => {
    let upstream: Socket | undefined;
    let tell: () => void = () => undefined;
    beforeEach(() => {
      upstream = undefined;
      proxy.apiserver.handle = (request, response) => {
        if (request.url !== watch) return void response.end("{}");
        upstream = request.socket;
        response.writeHead(200).flushHeaders();
        tell = () => response.end("event");
      };
    });
    /** A client that keeps to the rules, and answers each PING. */
    const session = async (): Promise<ClientHttp2Session> => {
      const socket = await proxy.connect("h2");
      return connect("https://a", { createConnection: () => socket }).on("error", () => undefined);
    };
    const asked = (client: ClientHttp2Session, target: string) =>
      client.request({ ":path": target, authorization: proxy.caller.authorization });

    it("are ended when nothing is asked for any more", async () => {
      const client = await session();
      const closed = once(client, "close");
      await once(asked(client, "/api").resume(), "end");
      await closed;
      await eventually(() => proxy.callers() === 0);
    });

    it("are kept for a quiet watch whose caller answers when asked whether he lives", async () => {
      const client = await session();
      const stream = asked(client, watch);
      let pings = 0;
      client.on("ping", () => (pings += 1));
      await once(stream, "response");
      // Beyond the time within which he had to answer the first.
      await eventually(() => pings > 24);
      tell();
      expect(String((await once(stream, "data")) as [Buffer])).toBe("event");
      expect(proxy.process.output()).not.toContain("MaxListenersExceeded");
    });

    it("are given up with what they watch when they do not answer, and are told so", async () => {
      const socket = await proxy.connect("h2");
      const bytes = collected(socket);
      const fields = http2Fields({ ...get, target: watch }, [], proxy.caller.authorization);
      socket.write(Buffer.concat([http2Preface, encodeRequest({ fields })]));
      await eventually(() => upstream !== undefined);
      await eventually(() => upstream!.destroyed || upstream!.readableEnded);
      await eventually(() => proxy.callers() === 0);
      expect(frameTypes(bytes())).toContain(goAway);
    });

    it("say through which tunnel they came, as every other connection does", async () => {
      const client = await session();
      await once(asked(client, "/api").resume(), "end");
      const [sent] = proxy.sent();
      const extras = sent!.lines.filter(([name]) => /%2fsession$/i.test(name));
      expect(extras.map(([, value]) => value)).toEqual([testSession]);
    });
  },
  () => ({ limits: { lingerMs: 1_000, keepAliveTimeoutMs: 60 } }),
);

describeOnNodes(
  "sessions whose caller has ended",
  (proxy) => {
    it.each([
      ["before a request", Buffer.alloc(0)],
      ["behind the preface", http2Preface],
    ])("are not held open for the other half: %s", async (_, bytes) => {
      const socket = await proxy.connect("h2");
      const ended = once(socket.resume(), "end");
      socket.end(bytes);
      await ended;
      await eventually(() => proxy.callers() === 0);
    });

    it("are let go with his end, once they have been told of theirs", async () => {
      const socket = await proxy.connect("h2");
      const bytes = collected(socket);
      socket.write(http2Preface);
      await eventually(() => frameTypes(bytes()).includes(goAway));
      socket.end();
      await eventually(() => proxy.callers() === 0);
    });
  },
  () => ({ limits: { lingerMs: 60_000, keepAliveTimeoutMs: 300 } }),
);

describeOnNodes(
  "sessions that send and do not read",
  (proxy) => {
    it("may send no more ahead than a session may", async () => {
      const socket = await proxy.connect("h2");
      const client = connect("https://a", { createConnection: () => socket }).on("error", () => undefined);
      await once(client, "remoteSettings");
      await new Promise<void>((resolve) => client.ping(() => resolve()));
      expect(client.state.remoteWindowSize).toBe(300_000);
    });

    it("get no more answers kept for them than a session may", async () => {
      proxy.apiserver.handle = (_, response) => void response.end(Buffer.alloc(300_000));
      const socket = await proxy.connect("h2");
      const client = connect("https://a", { createConnection: () => socket }).on("error", () => undefined);
      const { authorization } = proxy.caller;
      const isAnswered = () =>
        new Promise<boolean>((resolve) => {
          const stream = client.request({ ":path": "/api", authorization });
          stream.once("response", () => resolve(true));
          stream.once("error", () => resolve(false)).once("close", () => resolve(false));
        });
      let count = 0;
      while (count < 60 && (await isAnswered())) count += 1;
      expect(count).toBeLessThan(60);
    });
  },
  () => ({ limits: { lingerMs: 300, http2SessionMiB: 1, http2SessionWindowBytes: 300_000 } }),
);
