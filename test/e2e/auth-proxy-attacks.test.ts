import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http2";
import { startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";

const caller = "github:repo:octo/app:environment:production";
const exec = "/api/v1/namespaces/a/pods/b/exec?command=sh";
const get = { method: "GET", path: "/api/v1/secrets", more: "" };
const webSocket =
  "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n";
const execByGet = { method: "GET", path: exec, more: `Connection: Upgrade\r\n${webSocket}` };
const execByPost = {
  method: "POST",
  path: exec,
  more: "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n",
};

describe("attacks on the auth proxy", () => {
  let harness: AuthProxyHarness;
  let authorization: string;
  beforeAll(async () => {
    harness = await startAuthProxyHarness({ limits: { lingerMs: 500 } });
    authorization = await harness.authorization();
  });
  afterAll(async () => {
    await harness.close();
  });
  afterEach(() => {
    // The invariant, after every case: whatever arrived is the caller of the token and nobody else.
    const forwarded = harness.apiserver.requests.filter(({ target }) => target !== "/version");
    for (const request of forwarded) {
      expect(request.values("impersonate-user")).toEqual([caller]);
      expect(request.values("impersonate-group")).toEqual([]);
      const names = request.headers.map(([name]) => name.toLowerCase());
      const impersonating = names.filter((name) =>
        /^(impersonate|x-remote|x-forwarded|forwarded)/.test(name),
      );
      expect(impersonating.sort()).toEqual([
        "impersonate-extra-cluster-connect.dev%2fissuer",
        "impersonate-extra-cluster-connect.dev%2fjti",
        "impersonate-extra-cluster-connect.dev%2fsession",
        "impersonate-user",
      ]);
      expect(request.values("authorization")).toEqual(["Bearer own-token-1"]);
    }
    expect(Buffer.concat(harness.apiserver.rawBytes()).toString("latin1")).not.toContain(
      authorization.slice(7),
    );
  });

  const send = async (text: string) => {
    const socket = await harness.connect();
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    socket.write(Buffer.from(text, "latin1"));
    const answered = () =>
      /\r\n0\r\n\r\n$/.test(received) || /Content-Length: \d+\r\n[\s\S]*\r\n\r\n[\s\S]/i.test(received);
    const closed = Promise.race([once(socket, "end"), once(socket, "close")]).then(() => "closed");
    for (let i = 0; i < 600 && !answered(); i += 1) {
      const tick = new Promise((resolve) => setTimeout(resolve, 5));
      if ((await Promise.race([closed, tick])) === "closed") break;
    }
    socket.destroy();
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0), text: received };
  };
  const forwardedCount = () =>
    harness.apiserver.requests.filter(({ target }) => target !== "/version").length;
  const request = ({ method, path, more }: typeof get, headers: string, target = path) =>
    send(
      `${method} ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n${headers}${more}\r\n`,
    );

  describe.each([
    ["GET", get],
    ["exec by GET", execByGet],
    ["exec by POST", execByPost],
  ])("%s", (_, kind) => {
    it.each([
      [
        "Connection nominates Impersonate-User",
        "Connection: Impersonate-User, Impersonate-Group, Authorization\r\n",
      ],
      [
        "Connection nominates in another case",
        "Connection: close, impersonate-extra-cluster-connect.dev%2Fsession\r\n",
      ],
      ["two Connection lines, the first empty", "Connection:\r\nConnection: Upgrade, impersonate-user\r\n"],
      [
        "Keep-Alive, TE and Proxy-Connection name identity headers",
        "Keep-Alive: Impersonate-User\r\nTE: Impersonate-User\r\nProxy-Connection: Impersonate-User\r\n",
      ],
      ["Trailer names an identity header", "Trailer: Impersonate-User\r\n"],
      [
        "X-Forwarded-* and Forwarded",
        "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-User: root\r\nForwarded: for=1.1.1.1\r\n",
      ],
    ])("runs as the caller alone: %s", async (__, headers) => {
      const before = forwardedCount();
      const { status } = await request(kind, headers);
      expect([200, 403]).toContain(status);
      expect(forwardedCount()).toBe(before + 1);
    });

    it.each([
      ["Impersonate-User", "Impersonate-User: system:admin\r\n", 403],
      ["impersonate-group in lower case", "impersonate-group: system:masters\r\n", 403],
      ["IMPERSONATE-UID in upper case", "IMPERSONATE-UID: 0\r\n", 403],
      ["an extra", "Impersonate-Extra-scopes: all\r\n", 403],
      ["a header that may come to mean something", "Impersonate-Future: 1\r\n", 403],
      ["an empty Impersonate-User", "Impersonate-User:\r\n", 403],
      ["an underscore", "Impersonate_User: system:admin\r\n", 400],
      ["a dot in a name", "Impersonate.User: system:admin\r\n", 400],
      ["X-Remote-User", "X-Remote-User: system:admin\r\n", 400],
      ["X-Remote-Extra-*", "x-remote-extra-foo: 1\r\n", 400],
      ["a second Authorization", "Authorization: Bearer other\r\n", 400],
      [
        "a token beside the header",
        "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.YWJj\r\n",
        400,
      ],
      ["a name after a space", " Impersonate-User: system:admin\r\n", 400],
      ["folding", "X-A: b\r\n Impersonate-User: system:admin\r\n", 400],
      ["a space before the colon", "Impersonate-User : system:admin\r\n", 400],
      ["NUL in a value", "User-Agent: a\0b\r\n", 400],
      ["a bare LF", "User-Agent: a\nImpersonate-User: system:admin\r\n", [400, 403]],
      ["a bare CR", "User-Agent: a\rImpersonate-User: system:admin\r\n", 400],
      ["length and chunks together", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400],
      ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n", 400],
    ])("refuses %s", async (__, headers, expected) => {
      const before = forwardedCount();
      const { status, text } = await request(kind, headers);
      expect([expected].flat()).toContain(status);
      expect(text).toContain('"kind":"Status"');
      expect(forwardedCount()).toBe(before);
    });

    it.each([
      ["absolute form", "https://evil.example/api"],
      ["authority form", "evil.example:443"],
      ["asterisk form", "*"],
      ["bytes beyond ASCII", "/api/\xe4"],
    ])("refuses a target in %s", async (__, target) => {
      const before = forwardedCount();
      expect((await request(kind, "", target)).status).toBe(400);
      expect(forwardedCount()).toBe(before);
    });

    it("leaves the path to the apiserver, dots and doubled slashes included", async () => {
      const target = "/api//v1/%2e%2e/../secrets?access_token=x";
      await request(kind, "", target);
      const targets = harness.apiserver.requests.map((one) => one.target).filter((one) => one !== "/version");
      expect(targets.at(-1)).toBe(target);
    });
  });

  it.each([
    ["h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"],
    ["two tokens", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"],
    ["two lines", "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: SPDY/3.1\r\n"],
    ["TLS/1.0", "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"],
    ["a body behind it", `Connection: Upgrade\r\n${webSocket}Content-Length: 5\r\n`],
    ["chunks behind it", "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nTransfer-Encoding: chunked\r\n"],
    ["no key", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"],
  ])("refuses an upgrade with %s", async (_, headers) => {
    const before = forwardedCount();
    const { status } = await request(get, headers);
    expect(status).toBe(400);
    expect(forwardedCount()).toBe(before);
  });

  it("takes an Upgrade that Connection does not name for an ordinary header, and drops it", async () => {
    await request(get, "Upgrade: h2c\r\n");
    const { headers } = harness.apiserver.requests.filter(({ target }) => target !== "/version").at(-1)!;
    expect(headers.map(([name]) => name.toLowerCase())).not.toContain("upgrade");
  });

  it("refuses CONNECT", async () => {
    const text = `CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`;
    expect((await send(text)).status).toBe(400);
  });

  it("does not pass trailers on", async () => {
    const before = forwardedCount();
    const { status } = await send(
      `POST /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nTransfer-Encoding: chunked\r\n` +
        `Trailer: Impersonate-User\r\n\r\n3;ext="x"\r\nabc\r\n0\r\nImpersonate-User: system:admin\r\n\r\n`,
    );
    expect(status).toBe(200);
    expect(forwardedCount()).toBe(before + 1);
    expect(Buffer.concat(harness.apiserver.rawBytes()).toString("latin1")).not.toContain("system:admin");
  });

  it("serves a pipelined second request as a request of its own, with its own credential", async () => {
    const before = forwardedCount();
    const socket = await harness.connect();
    socket.write(
      `GET /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n` +
        `GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 401"]);
    expect(forwardedCount()).toBe(before + 1);
  });

  it.each([
    ["Impersonate-User", { "impersonate-user": "system:admin" }, 403],
    ["Impersonate-Future", { "impersonate-future": "x" }, 403],
    ["X-Remote-User", { "x-remote-user": "system:admin" }, 400],
    ["an underscore", { impersonate_user: "system:admin" }, 400],
  ])("refuses over HTTP/2: %s", async (_, headers, expected) => {
    const before = forwardedCount();
    const session = await harness.http2();
    const [answer] = (await once(
      session
        .request({ ":path": "/api", authorization, ...(headers as Record<string, string>) })
        .on("error", () => undefined),
      "response",
    )) as [IncomingHttpHeaders];
    expect(Number(answer[":status"])).toBe(expected);
    expect(forwardedCount()).toBe(before);
    session.destroy();
  });

  it.each([
    ["an absolute path", { ":path": "https://evil.example/api" }],
    ["CONNECT", { ":method": "CONNECT", ":authority": "evil.example:443", ":path": undefined }],
  ])("lets nothing through over HTTP/2 that names a host: %s", async (_, headers) => {
    const before = forwardedCount();
    const session = await harness.http2();
    const stream = session.request({
      ":path": "/api",
      authorization,
      ...(headers as Record<string, string>),
    });
    let status = 0;
    stream.on("error", () => undefined).once("response", (answer) => (status = Number(answer[":status"])));
    await new Promise((resolve) => stream.resume().once("close", resolve));
    expect([0, 400]).toContain(status);
    expect(forwardedCount()).toBe(before);
    session.destroy();
  });

  it("lets nothing through whose framing it does not know", async () => {
    const before = forwardedCount();
    const { status } = await request(get, "Transfer-Encoding: xchunked\r\n");
    expect([0, 400]).toContain(status);
    expect(forwardedCount()).toBe(before);
  });

  it("is not told a host by :authority", async () => {
    const session = await harness.http2();
    const stream = session.request({ ":path": "/api", ":authority": "evil.example", authorization });
    await once(stream.resume(), "response");
    expect(
      harness.apiserver.requests
        .filter(({ target }) => target === "/api")
        .at(-1)!
        .values("host"),
    ).toEqual([new URL(harness.apiserver.url).host]);
    session.destroy();
  });

  it("answers 512 header lines and refuses more, over either protocol", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join("");
    expect((await request(get, many(500))).status).toBe(200);
    expect((await request(get, many(600))).status).toBe(431);
  });

  it.each([
    ["no PROXY header", Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "latin1")],
    [
      "a PROXY header that names an address",
      Buffer.from("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + "\x01".repeat(12), "latin1"),
    ],
    ["a text PROXY header", Buffer.from("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")],
    [
      "an endless PROXY header",
      Buffer.concat([Buffer.from("\r\n\r\n\0\r\nQUIT\n\x20\0\xff\xff", "latin1"), Buffer.alloc(600)]),
    ],
  ])("drops a connection with %s", async (_, bytes) => {
    const socket = await harness.connectRaw();
    socket.resume().write(bytes);
    await once(socket, "close");
  });
});
