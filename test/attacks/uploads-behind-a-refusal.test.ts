/** What still comes of an upload that was refused is read, or its sender would not see why, and dropped; one without an end is cut. */
import { once } from "node:events";
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { eventually } from "../support/eventually";
import type { AttackedAuthProxy } from "./fixture/attacked-auth-proxy";
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, sendBytes } from "./fixture/requests";

const post = { ...get, method: "POST" };

async function http2Session(proxy: AttackedAuthProxy): Promise<ClientHttp2Session> {
  const socket = await proxy.connect("h2");
  // In MiB: the whole of a long upload waits in this client.
  const maxSessionMemory = 100;
  return connect("https://a", { createConnection: () => socket, maxSessionMemory }).on(
    "error",
    () => undefined,
  );
}

async function statusOf(stream: ClientHttp2Stream): Promise<unknown> {
  const [head] = (await once(stream, "response")) as [Record<string, unknown>];
  stream.resume();
  return head[":status"];
}

/** Goes on sending until `isOver`. */
async function sendingOn(send: () => void, isOver: () => boolean): Promise<void> {
  const timer = setInterval(send, 50);
  try {
    await eventually(isOver);
  } finally {
    clearInterval(timer);
  }
}

describeOnNodes("an upload without an end that is refused", (proxy) => {
  it.each([
    ["with a length", "Content-Length: 1000000000", "piece"],
    ["in chunks", "Transfer-Encoding: chunked", "5\r\npiece\r\n"],
  ])("does not hold its connection over HTTP/1.1: %s", async (_, framing, piece) => {
    const socket = await proxy.connect();
    socket.write(http1Text(post, [framing], { authorization: "Bearer none" }));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
    socket.resume();
    const send = () => socket.writable && socket.write(piece);
    await sendingOn(send, () => proxy.callers() === 0);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("does not hold its stream over HTTP/2, whose session goes on", async () => {
    const session = await http2Session(proxy);
    const upload = session.request({ ":method": "POST", ":path": "/api", authorization: "Bearer none" });
    upload.write("piece");
    expect(await statusOf(upload)).toBe(401);
    const send = () => upload.writable && upload.write("piece");
    await sendingOn(send, () => upload.closed);
    // RFC 9113 §8.1: the answer is complete, and the rest is not needed for it.
    expect(upload.rstCode).toBe(0);
    const { authorization } = proxy.caller;
    expect(await statusOf(session.request({ ":path": get.target, authorization }))).toBe(200);
    session.destroy();
  });
});

describeOnNodes(
  "a long upload that is refused",
  (proxy) => {
    /** More than all buffers on the way hold together. */
    const body = Buffer.alloc(32_000_000, "x");

    it("is read to its end when the apiserver is lost on the way, and the next request served", async () => {
      const { handle } = proxy.apiserver;
      proxy.apiserver.handle = (request, response) => {
        if (request.method !== "POST") return handle(request, response);
        request.once("data", () => request.socket.destroy());
      };
      const { authorization } = proxy.caller;
      const upload = http1Text(post, [`Content-Length: ${body.length}`], { authorization });
      const next = http1Text(get, [], { authorization });
      const sent = Buffer.concat([upload, body, next]);
      const { statuses } = await sendBytes(proxy, sent, { answers: 2, timeoutMs: 6_000 });
      proxy.apiserver.handle = handle;
      expect(statuses).toEqual([502, 200]);
    });

    it("is read to its end over HTTP/2", async () => {
      const session = await http2Session(proxy);
      const upload = session.request({ ":method": "POST", ":path": "/api", authorization: "Bearer none" });
      upload.end(body);
      expect(await statusOf(upload)).toBe(401);
      await once(upload, "close");
      // Our own side says so before the last of it is on its way.
      await new Promise<void>((resolve) => session.ping(() => resolve()));
      expect(session.socket.bytesWritten).toBeGreaterThan(body.length);
      session.destroy();
    });
  },
  () => ({ limits: { lingerMs: 300, uploadDrainMs: 3_000 } }),
);
