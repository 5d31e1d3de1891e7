/** What may stand behind a chunk's size, and readers do not agree on. Chunks are made anew on the way upstream. */
import { describeOnNodes } from "./fixture/describe-attack";
import { execByPost, get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";

const hidden = "GET /api/v1/secrets HTTP/1.1\r\nImpersonate-User: system:intruder\r\n\r\n";

describeOnNodes("chunk extensions", (proxy) => {
  const post = { ...get, method: "POST" as const };
  const sendChunks = (chunks: string, answers = 1) => {
    const head = http1Text(post, ["Transfer-Encoding: chunked"], {
      authorization: proxy.caller.authorization,
    });
    return sendBytes(proxy, Buffer.concat([head, Buffer.from(chunks, "latin1")]), {
      answers,
      timeoutMs: 700,
    });
  };

  it.each([
    ["a name", "2;a\r\n{}\r\n0\r\n\r\n"],
    ["a name and a value", "2;a=b;c=d\r\n{}\r\n0\r\n\r\n"],
    ["a quoted value", '2;a="b; c"\r\n{}\r\n0;last\r\n\r\n'],
    ["leading zeros", "0000002\r\n{}\r\n000\r\n\r\n"],
  ])("end here: %s", async (_, chunks) => {
    expect((await sendChunks(chunks)).statuses).toEqual([200]);
    expect(proxy.sent().map(({ body }) => body.toString())).toEqual(["{}"]);
  });

  it.each([
    ["a line feed in it", `2;a\n${hidden}`],
    ["a carriage return in it", `2;a\r${hidden}`],
    ["a NUL in it", `2;a\0\r\n{}\r\n0\r\n\r\n${hidden}`],
    ["no end", `2;${"a".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
    ["a negative size", `-2\r\n{}\r\n0\r\n\r\n${hidden}`],
    ["a size in 0x", `0x2\r\n{}\r\n0\r\n\r\n${hidden}`],
    ["a size over all bounds", `fffffffffffffffff\r\n{}\r\n0\r\n\r\n${hidden}`],
    ["a blank before the size", ` 2\r\n{}\r\n0\r\n\r\n${hidden}`],
    ["a chunk longer than its size", `2\r\n{}${hidden}\r\n0\r\n\r\n`],
    ["a chunk that ends in a line feed", `2\r\n{}\n0\r\n\r\n${hidden}`],
  ])("bring no second request upstream: %s", async (_, chunks) => {
    const { statuses } = await sendChunks(chunks, 2);
    // The first may have gone on before the rest came; it is then cut there, as the reader of the bytes checks.
    expect(
      proxy
        .sent()
        .map(({ method }) => method)
        .join(),
    ).toMatch(/^(POST)?$/);
    for (const { body } of proxy.sent()) expect(["", "{}"]).toContain(body.toString());
    expect(statuses).not.toContain(200);
  });

  it("belong to no upgrade", async () => {
    const lines = execByPost.lines.filter((line) => !line.startsWith("Content-Length"));
    const { authorization } = proxy.caller;
    const head = http1Text({ ...execByPost, lines }, ["Transfer-Encoding: chunked"], { authorization });
    const { statuses } = await sendBytes(proxy, Buffer.concat([head, Buffer.from(`0;a=b\r\n\r\n${hidden}`)]));
    expect(statuses).toEqual([400]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("have no like in HTTP/2 but padding, which ends here", async () => {
    const fields = http2Fields(post, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields, data: [Buffer.from("{}")] })).status).toBe(200);
    expect(proxy.sent().map(({ body }) => body.toString())).toEqual(["{}"]);
  });
});
