/** A request target that names a host, or that no path is. Where to is never the caller's to say. */
import { describeAttack, describeOnNodes, type AttackRow } from "./fixture/describe-attack";
import { http1Text, http2Fields, kinds, sendBytes, sendHttp2Request } from "./fixture/requests";

const target = (name: string, text: string, rest: Partial<AttackRow> = {}): AttackRow => ({
  name: `${name}: ${JSON.stringify(text)}`,
  http1: [],
  http2: [],
  target: text,
  outcome: [400],
  http2Outcome: "without effect",
  ...rest,
});

describeAttack("targets that are no path", [
  target("absolute form", "https://evil.example/api"),
  target("absolute form of this host", "http://127.0.0.1/api"),
  target("absolute form of another scheme", "file:///etc/passwd"),
  target("authority form", "evil.example:443"),
  target("asterisk form", "*"),
  target("no slash", "api/v1/secrets"),
  target("a query alone", "?command=sh"),
  target("bytes beyond ASCII", "/api/\u00e4"),
  target("two slashes, which are a path", "//evil.example/api", {
    outcome: "as the caller",
    http2Outcome: "as the caller",
  }),
  target("dots, which are the apiserver's to read", "/api//v1/%2e%2e/../secrets", {
    outcome: "as the caller",
    http2Outcome: "as the caller",
  }),
  target("an at sign", "/@evil.example/", { outcome: "as the caller", http2Outcome: "as the caller" }),
]);

describeOnNodes("hosts that a request names", (proxy) => {
  const hostsSent = () => proxy.sent().map(({ lines }) => lines.filter(([name]) => name === "Host"));

  it.each(kinds)("are not the one it goes to: %s", async (_, kind) => {
    const { authorization } = proxy.caller;
    const named = http1Text(kind, ["X-Original-Host: evil", "X-Host: evil"], { authorization });
    const bytes = Buffer.from(named.toString("latin1").replace("Host: a", "Host: evil.example"), "latin1");
    expect((await sendBytes(proxy, bytes)).statuses).toEqual([kind.answeredWith]);
    const fields = http2Fields(kind, [["host", "evil.example"]], authorization);
    const evil = fields.map(
      ([name, value]) => [name, name === ":authority" ? "evil.example" : value] as const,
    );
    expect((await sendHttp2Request(proxy, { fields: evil })).status).toBe(200);
    const { host } = new URL(proxy.apiserver.url);
    expect(hostsSent()).toEqual([[["Host", host]], [["Host", host]]]);
  });

  it("are refused to CONNECT, in either protocol", async () => {
    const { authorization } = proxy.caller;
    const text = `CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`;
    expect((await sendBytes(proxy, Buffer.from(text))).statuses).toEqual([400]);
    const fields = [
      [":method", "CONNECT"],
      [":authority", "evil.example:443"],
      ["authorization", authorization],
    ] as const;
    const { status } = await sendHttp2Request(proxy, { fields });
    expect([0, 400]).toContain(status);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("are refused to CONNECT that names a path", async () => {
    const { authorization } = proxy.caller;
    const text = `CONNECT /api HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`;
    expect((await sendBytes(proxy, Buffer.from(text))).statuses).toEqual([400]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it.each([
    ["a tab", "GET\t/api\tHTTP/1.1"],
    ["a third word", "GET /api /api/v1/secrets HTTP/1.1"],
    ["another version", "GET /api HTTP/1.2"],
    ["a method of no letters", "GE\0T /api HTTP/1.1"],
    ["a method that nobody knows", "IMPERSONATE /api HTTP/1.1"],
  ])("have no request line of their own: %s", async (_, line) => {
    const text = `${line}\r\nHost: a\r\nAuthorization: ${proxy.caller.authorization}\r\n\r\n`;
    expect((await sendBytes(proxy, Buffer.from(text))).statuses).toEqual([400]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it.each([
    ["none", "GET /api"],
    ["HTTP/0.9", "GET /api HTTP/0.9"],
    ["HTTP/2.0", "GET /api HTTP/2.0"],
  ])("have no protocol of their own: %s", async (_, line) => {
    // llhttp lets them in; what goes upstream is HTTP/1.1 and the caller's own all the same.
    const text = `${line}\r\nHost: a\r\nAuthorization: ${proxy.caller.authorization}\r\n\r\n`;
    await sendBytes(proxy, Buffer.from(text));
    expect(proxy.sent().length).toBeLessThan(2);
  });

  it.each(kinds)("are named once, though nothing is made of it: %s", async (_, kind) => {
    const { authorization } = proxy.caller;
    const bytes = http1Text(kind, ["Host: evil.example"], { authorization });
    expect((await sendBytes(proxy, bytes)).statuses).toEqual([400]);
    const hostless = Buffer.from(bytes.toString("latin1").replaceAll(/Host: .*\r\n/g, ""), "latin1");
    const { statuses, text } = await sendBytes(proxy, hostless);
    expect(statuses).toEqual([400]);
    expect(text).toContain('"kind":"Status"');
    expect(proxy.sent()).toHaveLength(0);
  });
});
