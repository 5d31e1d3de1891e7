/** What HTTP/2 says twice, or in the wrong place: two answers to what a request is. */
import { untilGone } from "./fixture/answer";
import { describeOnNodes } from "./fixture/describe-attack";
import { encodeRequest, http2Frame, http2Preface, type Field } from "./fixture/raw-http2";
import { get, http2Fields, kinds, sendHttp2Request } from "./fixture/requests";

describeOnNodes("pseudo-headers", (proxy) => {
  const base = (kind = get) => http2Fields(kind, [], proxy.caller.authorization);
  const replaced = (name: string, ...values: string[]) =>
    base().flatMap((field): Field[] => (field[0] === name ? values.map((value) => [name, value]) : [field]));
  const expectReset = async (fields: readonly Field[]) => {
    const { status, errorCode } = await sendHttp2Request(proxy, { fields });
    expect([status, errorCode]).toEqual([0, 1]);
    expect(proxy.sent()).toHaveLength(0);
  };

  it.each([
    ["two paths", ":path", ["/api", "/api/v1/secrets"]],
    ["two methods", ":method", ["GET", "DELETE"]],
    ["two schemes", ":scheme", ["https", "http"]],
    ["two authorities", ":authority", ["a", "evil.example"]],
    ["no path", ":path", []],
    ["no method", ":method", []],
    ["no scheme", ":scheme", []],
    ["an empty path", ":path", [""]],
    ["an empty method", ":method", [""]],
    ["a line end in the path", ":path", ["/api HTTP/1.1\r\nImpersonate-User: system:intruder\r\n"]],
    ["a line feed in the method", ":method", ["GET\n"]],
    ["a NUL in the authority", ":authority", ["a\0b"]],
  ])("are refused: %s", (_, name, values) => expectReset(replaced(name, ...values)));

  it.each([
    ["one that nobody knows", [":impersonate-user", "system:intruder"] as const],
    ["a status", [":status", "200"] as const],
    ["a protocol without CONNECT", [":protocol", "websocket"] as const],
  ])("are refused: %s", (_, field) => expectReset([field, ...base()]));

  it.each([[":path", "/api/v1/secrets"] as const, [":authority", "evil.example"] as const])(
    "are refused behind other headers: %s",
    (name, value) =>
      expectReset([...base().filter(([key]) => key !== name), ["accept", "*/*"], [name, value]]),
  );

  it.each([
    ["a blank in the path", ":path", "/api /secrets"],
    ["a tab in the path", ":path", "/api\t/secrets"],
    ["a blank in the method", ":method", "GET /api"],
    ["another scheme", ":scheme", "gopher"],
  ])("change nothing about where it goes: %s", async (_, name, value) => {
    const { status } = await sendHttp2Request(proxy, { fields: replaced(name, value) });
    expect([0, 200, 400]).toContain(status);
    expect(proxy.sent().length).toBe(status === 200 ? 1 : 0);
  });

  it.each(["get", "Post", "WEBSOCKET", "x"])(
    "are no method that HTTP/1.1 lacks, nor one in another case: %s",
    async (method) => {
      const { status, body } = await sendHttp2Request(proxy, { fields: replaced(":method", method) });
      expect([status, body]).toEqual([400, expect.stringContaining('"kind":"Status"')]);
      expect(proxy.sent()).toHaveLength(0);
    },
  );

  it.each(kinds)("may be as they are: %s", async (_, kind) => {
    expect((await sendHttp2Request(proxy, { fields: base(kind) })).status).toBe(200);
    expect(proxy.sent()).toHaveLength(1);
  });
});

describeOnNodes(
  "frames out of order",
  (proxy) => {
    const request = () => encodeRequest({ fields: http2Fields(get, [], proxy.caller.authorization) });
    const word = (value: number) =>
      Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);

    it.each([
      ["DATA before any request", http2Frame(0, 0, 1, Buffer.from("x"))],
      ["HEADERS on stream 0", http2Frame(1, 5, 0)],
      ["HEADERS on an even stream", http2Frame(1, 5, 2)],
      ["CONTINUATION of nothing", http2Frame(9, 4, 1)],
      ["SETTINGS of an odd length", http2Frame(4, 0, 0, Buffer.alloc(5))],
      ["a window of nothing", http2Frame(8, 0, 0, word(0))],
      ["a window over all bounds", http2Frame(8, 0, 0, word(0x7fffffff))],
      ["PUSH_PROMISE from a client", http2Frame(5, 4, 1, word(2))],
      ["PING of another size", http2Frame(6, 0, 0, Buffer.alloc(7))],
      ["RST_STREAM of a stream that is none", http2Frame(3, 0, 9, word(8))],
      ["a frame longer than was agreed", http2Frame(0, 0, 1, Buffer.alloc(40_000))],
    ])("end the connection, and bring nothing upstream: %s", async (_, frame) => {
      await sendHttp2Request(proxy, Buffer.concat([frame, request()]));
      expect(proxy.sent().length).toBeLessThan(2);
    });

    it("are no way to more work than was allowed: requests that are reset at once", async () => {
      const socket = await proxy.connect("h2");
      const gone = untilGone(socket);
      socket.write(http2Preface);
      const fields = http2Fields(get, [], proxy.caller.authorization);
      for (let stream = 1; stream < 4_000 && !socket.destroyed; stream += 2) {
        socket.write(Buffer.concat([encodeRequest({ fields }, stream), http2Frame(3, 0, stream, word(8))]));
        if (stream % 200 === 1) await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
      await gone;
      const { authorization } = proxy.caller;
      const { status } = await sendHttp2Request(proxy, { fields: http2Fields(get, [], authorization) });
      expect(status).toBe(200);
    });

    it("are no way to hold memory: a block that never ends", async () => {
      const socket = await proxy.connect("h2");
      const gone = untilGone(socket);
      socket.write(Buffer.concat([http2Preface, http2Frame(1, 0, 1, Buffer.alloc(16_000))]));
      for (let count = 0; count < 200 && !socket.destroyed; count += 1) {
        socket.write(http2Frame(9, 0, 1, Buffer.alloc(16_000)));
        if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
      await gone;
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ limits: { lingerMs: 300, keepAliveTimeoutMs: 300 } }),
);
