/** What answers upstream, the apiserver in trouble or a pod behind `…/proxy/`, misleads: about ends, and about who is meant. */
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import {
  execByGet,
  execByPost,
  get,
  http1Text,
  http2Fields,
  sendBytes,
  sendHttp2Request,
  type RequestKind,
} from "./fixture/requests";

describeOnNodes("misleading answers", (proxy) => {
  const answering = (text: string) => {
    proxy.apiserver.handle = ({ socket }) => void socket.end(text);
    proxy.apiserver.upgrade = (_, socket) => void socket.resume().end(text);
  };
  const send = (kind: RequestKind, target = kind.target) =>
    sendBytes(proxy, http1Text(kind, [], { authorization: proxy.caller.authorization, target }));

  it.each([
    ["without a length", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"],
    ["shorter than it says", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{}"],
    ["without its last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"],
  ])("never look whole when they end %s", async (_, text) => {
    answering(text);
    const answer = await send(get);
    expect(answer.end).toBe("closed");
    expect(answer.text).not.toMatch(/\r\n0\r\n\r\n$/);
    const fields = http2Fields(get, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields })).errorCode).toBeGreaterThan(0);
  });

  it.each([
    ["to HEAD", "HEAD", 200],
    ["by a 204", "GET", 204],
    ["by a 304", "GET", 304],
  ])("are not looked for in what has no body: %s", async (_, method, status) => {
    answering(`HTTP/1.1 ${status} -\r\nConnection: close\r\n\r\n`);
    const answer = await send({ ...get, method: method as "GET" });
    expect([answer.end, answer.statuses]).toEqual(["complete", [status]]);
    const fields = http2Fields({ ...get, method: method as "GET" }, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields })).errorCode).toBeUndefined();
  });

  it("end the request that they cannot be passed on to", async () => {
    answering("HTTP/1.1 700 -\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    const fields = http2Fields(get, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields })).errorCode).toBeGreaterThan(0);
  });

  const unauthorized = "HTTP/1.1 401 -\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";

  it.each([
    ["/api/v1/pods", get],
    ["/api/v1/pods?next=/proxy/", get],
    ["/api/v1/proxyish", get],
    ["/api/v1/namespaces/a/pods/b/exec", execByGet],
    ["/api/v1/namespaces/a/pods/b/exec", execByPost],
  ])("do not tell a caller to throw his token away when the proxy's is refused: %s", async (target, kind) => {
    answering(unauthorized);
    const { statuses, text } = await send(kind, target);
    expect(statuses).toEqual([503]);
    expect(text).toContain("ERR_APISERVER_REFUSED_PROXY");
    // Once: the proxy's token is the same as before.
    expect(proxy.sent()).toHaveLength(1);
  });

  it.each(["/api/v1/namespaces/a/pods/b/proxy", "/api/v1/namespaces/a/services/b/proxy/c?d"])(
    "do not shake the trust in the proxy's own token when a pod gives them: %s",
    async (target) => {
      answering(unauthorized);
      expect((await send(get, target)).statuses).toEqual([401]);
    },
  );

  it.each([
    ["websocket", execByGet],
    ["SPDY/3.1", execByPost],
  ])("leave no connection that has become something else than %s", async (_, kind) => {
    let upstream: Socket | undefined;
    proxy.apiserver.upgrade = (__, socket: Socket) => {
      upstream = socket.on("error", () => undefined).resume();
      // Half open: it does not end because its client has.
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI");
    };
    expect((await send(kind)).end).toBe("closed");
    await eventually(() => upstream!.destroyed || upstream!.readableEnded);
    upstream!.destroy();
  });

  it("lose none of what came with a 101", async () => {
    proxy.apiserver.upgrade = (_, socket: Socket) => {
      socket.resume().once("end", () => socket.end());
      const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";
      socket.write(`${head}first words`);
    };
    const { text } = await sendBytes(
      proxy,
      http1Text(execByPost, [], { authorization: proxy.caller.authorization }),
      { answers: 9, timeoutMs: 500 },
    );
    expect(text).toMatch(/\r\n\r\nfirst words$/);
  });
});
