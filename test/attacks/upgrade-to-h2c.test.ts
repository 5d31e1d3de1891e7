/** Upgrades to what nobody here can follow: after a 101 nothing is looked at any more (golang/go#80416). */
import { attackWith, describeOnNodes, type AttackRow } from "./fixture/describe-attack";
import {
  execByGet,
  execByPost,
  get,
  http1Text,
  http2Fields,
  sendBytes,
  sendHttp2Request,
} from "./fixture/requests";

const h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"];

describeOnNodes("upgrades to another protocol", (proxy) => {
  const rows: AttackRow[] = [
    {
      name: "Upgrade without Connection, which is an ordinary header and stays here",
      http1: ["Upgrade: h2c"],
      // HTTP/2 knows no upgrades (RFC 9113 §8.6), and forbids the headers.
      http2: [["upgrade", "h2c"]],
      outcome: "without effect",
    },
    {
      name: "an empty Upgrade, which is none to Node",
      http1: ["Connection: Upgrade", "Upgrade:"],
      http2: [["upgrade", ""]],
      outcome: "without effect",
    },
    {
      name: "HTTP2-Settings alone",
      http1: ["HTTP2-Settings: AAMAAABk"],
      http2: [["http2-settings", "AAMAAABk"]],
      outcome: "as the caller",
    },
  ];
  attackWith(proxy, rows);

  const refused = async (method: "GET" | "POST", lines: readonly string[], statuses = [400]) => {
    const kind = { ...get, method, lines };
    const answer = await sendBytes(proxy, http1Text(kind, [], { authorization: proxy.caller.authorization }));
    expect(answer.statuses).toEqual(statuses);
    expect(answer.end).toBe("complete");
    expect(proxy.sent()).toHaveLength(0);
  };
  const webSocket = execByGet.lines;
  const without = (name: string, lines = webSocket) => lines.filter((line) => !line.startsWith(name));

  describe.each(["GET", "POST"] as const)("by %s", (method) => {
    it.each([
      ["h2c", h2c],
      ["HTTP/2.0", ["Connection: Upgrade", "Upgrade: HTTP/2.0"]],
      ["TLS/1.0", ["Connection: Upgrade", "Upgrade: TLS/1.0"]],
      ["websocket and h2c", ["Connection: Upgrade", "Upgrade: websocket, h2c"]],
      ["h2c and websocket", ["Connection: Upgrade", "Upgrade: h2c, websocket"]],
      ["two lines", ["Connection: Upgrade", "Upgrade: websocket", "Upgrade: SPDY/3.1"]],
      ["commas", ["Connection: Upgrade", "Upgrade: ,,"]],
      ["another SPDY", ["Connection: Upgrade", "Upgrade: SPDY/2"]],
      ["a word that begins well", ["Connection: Upgrade", "Upgrade: websockets"]],
      ["websocket and a version", ["Connection: Upgrade", "Upgrade: websocket/13"]],
    ])("are refused: %s", (_, lines) => refused(method, lines));

    it.each([
      ["a length", "Content-Length: 5"],
      ["two lengths of nothing and of something", "Content-Length: 00005"],
      ["chunks", "Transfer-Encoding: chunked"],
    ])("are refused with %s behind them", async (_, line) => {
      const lines = without("Content-Length", execByPost.lines);
      await refused(method, [...lines, line]);
    });
  });

  it.each([
    ["without a key", without("Sec-WebSocket-Key")],
    ["with two keys", [...webSocket, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]],
    ["without a version", without("Sec-WebSocket-Version")],
    ["with another version", [...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"]],
    ["with two versions", [...webSocket, "Sec-WebSocket-Version: 13"]],
  ])("are refused to a WebSocket %s", (_, lines) => refused("GET", lines));

  it("are refused to a WebSocket by POST", () => refused("POST", webSocket));

  it("pass none of the WebSocket's extensions on", async () => {
    const lines = [...webSocket, "Sec-WebSocket-Extensions: permessage-deflate"];
    const { authorization } = proxy.caller;
    await sendBytes(proxy, http1Text({ ...execByGet, lines }, [], { authorization }));
    const [sent] = proxy.sent();
    expect(sent!.lines.map(([name]) => name.toLowerCase())).not.toContain("sec-websocket-extensions");
    expect(sent!.lines.filter(([name]) => /^sec-websocket|^upgrade|^connection/i.test(name))).toEqual([
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ["Sec-WebSocket-Protocol", "v5.channel.k8s.io"],
    ]);
  });

  it("have no like in HTTP/2: extended CONNECT was not offered", async () => {
    const fields = http2Fields(execByGet, [[":protocol", "websocket"]], proxy.caller.authorization);
    const connect = fields.map(([name, value]) => [name, name === ":method" ? "CONNECT" : value] as const);
    const pseudo = connect.filter(([name]) => name.startsWith(":"));
    const answer = await sendHttp2Request(proxy, {
      fields: [...pseudo, ...connect.filter(([name]) => !name.startsWith(":"))],
    });
    expect([answer.status, answer.errorCode]).toEqual([0, 1]);
    expect(proxy.sent()).toHaveLength(0);
  });
});
