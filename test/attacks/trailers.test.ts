/** Header lines behind a body: the last chance to add a name after everything has been looked at. */
import { describeOnNodes } from "./fixture/describe-attack";
import { execByPost, get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";
import { intruder } from "./fixture/invariant";

describeOnNodes("trailers", (proxy) => {
  const post = { ...get, method: "POST" as const };
  const chunked = ["Transfer-Encoding: chunked", "Trailer: Impersonate-User, Authorization"];

  it.each([
    ["an identity", `Impersonate-User: ${intruder}\r\n`],
    ["a credential", "Authorization: Bearer other\r\n"],
    ["a front proxy's user", `X-Remote-User: ${intruder}\r\nX-Remote-Group: system:masters\r\n`],
    ["a host", "Host: evil.example\r\nForwarded: for=evil\r\n"],
  ])("that hold %s end here, over HTTP/1.1", async (_, lines) => {
    const { authorization } = proxy.caller;
    const head = http1Text(post, chunked, { authorization });
    const { statuses } = await sendBytes(
      proxy,
      Buffer.concat([head, Buffer.from(`2\r\n{}\r\n0\r\n${lines}\r\n`)]),
    );
    expect(statuses).toEqual([200]);
    expect(proxy.sent().map(({ body }) => body.toString())).toEqual(["{}"]);
  });

  it.each([
    ["an identity", [["impersonate-user", intruder]] as const],
    ["a credential", [["authorization", "Bearer other"]] as const],
    ["a pseudo-header", [[":path", "/api/v1/secrets"]] as const],
  ])("that hold %s end here, over HTTP/2", async (_, trailers) => {
    const fields = http2Fields(post, [["trailer", "impersonate-user"]], proxy.caller.authorization);
    await sendHttp2Request(proxy, { fields, data: [Buffer.from("{}")], trailers });
    // A pseudo-header there makes the request malformed (RFC 9113 §8.1), perhaps after it has gone on.
    for (const { body } of proxy.sent()) expect(["", "{}"]).toContain(body.toString());
    expect(proxy.sent().length).toBeLessThan(2);
  });

  it("that belong to an upgrade make it one with a body", async () => {
    const { authorization } = proxy.caller;
    const lines = execByPost.lines.filter((line) => !line.startsWith("Content-Length"));
    const head = http1Text({ ...execByPost, lines }, chunked, { authorization });
    const tail = Buffer.from(`0\r\nImpersonate-User: ${intruder}\r\n\r\n`);
    expect((await sendBytes(proxy, Buffer.concat([head, tail]))).statuses).toEqual([400]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("that hold another length end the upload, over HTTP/1.1", async () => {
    const head = http1Text(post, chunked, { authorization: proxy.caller.authorization });
    const tail = "2\r\n{}\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    const { statuses } = await sendBytes(proxy, Buffer.concat([head, Buffer.from(tail)]));
    expect(statuses).not.toContain(200);
    expect(proxy.sent().length).toBeLessThan(2);
  });

  it("of a line that is none make the request malformed", async () => {
    const head = http1Text(post, chunked, { authorization: proxy.caller.authorization });
    await sendBytes(proxy, Buffer.concat([head, Buffer.from("0\r\nno colon\r\n\r\n")]));
    expect(proxy.sent().length).toBeLessThan(2);
  });
});
