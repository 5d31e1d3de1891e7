/** Two lengths for one body: what is body to one reader is a request to the next (RFC 9112 §11.2). */
import { attackWith, describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";

const smuggled = "GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nImpersonate-User: system:intruder\r\n\r\n";
const framing = (...http1: string[]) => ({
  name: http1.map((line) => JSON.stringify(line)).join(" and "),
  http1,
  http2: http1.map((line) => line.toLowerCase().split(/: ?/, 2) as [string, string]),
  outcome: [400] as const,
  // Two lengths, or an encoding, are malformed there (RFC 9113 §8.1.1, §8.2.2); old nghttp2 only knew some of it.
  http2Outcome: "without effect" as const,
});

describeOnNodes("Content-Length and Transfer-Encoding together", (proxy) => {
  attackWith(proxy, [
    framing("Content-Length: 5", "Transfer-Encoding: chunked"),
    framing("Transfer-Encoding: chunked", "Content-Length: 5"),
    framing("Content-Length: 5", "Content-Length: 6"),
    framing("Content-Length: 5, 6"),
    framing("Content-Length: -1"),
    framing("Content-Length: +5"),
    framing("Content-Length: 0x5"),
    framing("Content-Length: 5 5"),
    framing("Content-Length: 99999999999999999999999"),
    framing("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    framing("Transfer-Encoding: chunked, identity"),
    framing("Content-Length : 5"),
    framing("Transfer-Encoding : chunked"),
    framing("Transfer-Encoding:\u000bchunked"),
  ]);

  const post = { ...get, method: "POST" as const };
  it.each([
    ["xchunked", ["Transfer-Encoding: xchunked"]],
    ["gzip, chunked", ["Transfer-Encoding: gzip, chunked"]],
    ["an empty one", ["Transfer-Encoding:"]],
    ["one in quotes", ['Transfer-Encoding: "chunked"']],
    ["a length of nothing", ["Content-Length:"]],
  ])("brings nothing behind it upstream as a request: %s", async (_, lines) => {
    const { authorization } = proxy.caller;
    const head = http1Text(post, lines, { authorization });
    const { statuses } = await sendBytes(proxy, Buffer.concat([head, Buffer.from(`0\r\n\r\n${smuggled}`)]), {
      answers: 2,
      timeoutMs: 500,
    });
    // Whatever it was taken for: the second request, if it is one, lacks a credential and names somebody.
    expect([[], [200], [400], [200, 400], [200, 403]]).toContainEqual(statuses);
    expect(proxy.sent().length).toBeLessThan(2);
    expect(proxy.sent().map(({ method }) => method)).not.toContain("GET");
  });

  it("of HTTP/2 must agree with the data", async () => {
    const fields = http2Fields(post, [["content-length", "2"]], proxy.caller.authorization);
    const answer = await sendHttp2Request(proxy, { fields, data: [Buffer.from(`{}${smuggled}`)] });
    expect(answer.status).toBe(0);
    expect([1, 2]).toContain(answer.errorCode);
    // It may have gone on before that was known; then it is cut there, and not one byte of it is a request.
    expect(proxy.sent().length).toBeLessThan(2);
    for (const { body } of proxy.sent()) expect(["", "{}"]).toContain(body.toString());
  });
});
