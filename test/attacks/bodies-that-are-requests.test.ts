/** A body whose bytes are a request: upstream it must stay a body, whatever the method is used to (RFC 9112 §6.3). */
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";

const smuggled = Buffer.from(
  "GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nImpersonate-User: system:intruder\r\n\r\n",
);
const length = String(smuggled.length);
const chunked = Buffer.concat([
  Buffer.from(`${smuggled.length.toString(16)}\r\n`),
  smuggled,
  Buffer.from("\r\n0\r\n\r\n"),
]);
const methods = ["GET", "DELETE", "OPTIONS", "POST", "PATCH"] as const;

describeOnNodes("bodies that are requests", (proxy) => {
  const expectOneWithBody = () => {
    expect(proxy.sent()).toHaveLength(1);
    const [sent] = proxy.sent();
    expect(sent!.body.toString("latin1")).toBe(smuggled.toString("latin1"));
    return sent!.lines.map(([name, value]) => `${name}: ${value}`.toLowerCase());
  };

  it.each(methods)("keep their length: %s", async (method) => {
    const { authorization } = proxy.caller;
    const head = http1Text({ ...get, method }, [`Content-Length: ${length}`], { authorization });
    expect((await sendBytes(proxy, Buffer.concat([head, smuggled]))).statuses).toEqual([200]);
    expect(expectOneWithBody()).toContain(`content-length: ${length}`);
  });

  it.each(methods)("stay in chunks: %s", async (method) => {
    const { authorization } = proxy.caller;
    const head = http1Text({ ...get, method }, ["Transfer-Encoding: chunked"], { authorization });
    expect((await sendBytes(proxy, Buffer.concat([head, chunked]))).statuses).toEqual([200]);
    expect(expectOneWithBody()).toContain("transfer-encoding: chunked");
  });

  it.each(methods)("of HTTP/2 come to be in chunks: %s", async (method) => {
    const fields = http2Fields({ ...get, method }, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields, data: [smuggled] })).status).toBe(200);
    expect(expectOneWithBody()).toContain("transfer-encoding: chunked");
  });
});
