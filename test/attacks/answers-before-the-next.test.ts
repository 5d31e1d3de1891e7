/** Answers whose end is no matter of doubt must not cost the caller his connection, and with it what he asks next. */
import { once } from "node:events";
import { exchangeBytes } from "./fixture/answer";
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, get, http1Text, sendBytes } from "./fixture/requests";

describeOnNodes("the request behind an answer", (proxy) => {
  it.each([
    ["to HEAD", "HEAD", "200 OK", ""],
    ["by a 204", "GET", "204 No Content", ""],
    ["by a 304", "GET", "304 Not Modified", ""],
    ["with a length", "GET", "200 OK\r\nContent-Length: 2", "{}"],
    ["in chunks", "GET", "200 OK\r\nTransfer-Encoding: Chunked", "2\r\n{}\r\n0\r\n\r\n"],
  ])("is answered as well, on the same connection: %s", async (_, method, head, body) => {
    const { handle } = proxy.apiserver;
    proxy.apiserver.handle = (request, response) => {
      if (request.url !== "/first") return handle(request, response);
      request.socket.end(`HTTP/1.1 ${head}\r\nConnection: close\r\n\r\n${body}`);
    };
    const { authorization } = proxy.caller;
    const first = http1Text({ ...get, method }, [], { authorization, target: "/first" });
    const next = http1Text(get, [], { authorization });
    const { statuses, text } = await sendBytes(proxy, Buffer.concat([first, next]), { answers: 2 });
    proxy.apiserver.handle = handle;
    expect(statuses).toEqual([Number(head.slice(0, 3)), 200]);
    expect(text).toMatch(/\{\}$/);
    expect(
      proxy
        .sent()
        .map(({ target }) => target)
        .sort(),
    ).toEqual([get.target, "/first"]);
  });

  it.each([
    ["an exec", (authorization: string) => http1Text(execByGet, [], { authorization }), 403],
    ["what is no request", () => Buffer.from("\0\r\n\r\n"), 400],
  ])("is answered when it comes after it, as %s", async (_, next, status) => {
    const { authorization } = proxy.caller;
    const socket = await proxy.connect();
    socket.write(http1Text(get, [], { authorization }));
    let first = "";
    while (!first.endsWith("\r\n\r\n{}")) first += ((await once(socket, "data")) as [Buffer])[0].toString();
    expect((await exchangeBytes(socket, next(authorization))).statuses).toEqual([status]);
  });
});
