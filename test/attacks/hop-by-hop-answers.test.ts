/** What answers in the apiserver's place, a pod behind `…/proxy/` say, speaks of its own connection: no caller hears it. */
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, http2Fields, sendBytes, sendHttp2Request } from "./fixture/requests";

const ofTheHop = [
  ["Connection", "close, x-nominated, X-Nominated-Too"],
  ["Keep-Alive", "timeout=86400"],
  ["Proxy-Authenticate", 'Basic realm="your password, please"'],
  ["Proxy-Connection", "keep-alive"],
  ["TE", "trailers"],
  ["Trailer", "X-Later"],
  ["Upgrade", "h2c"],
  ["X-Nominated", "1"],
  ["x-nominated-too", "1"],
] as const;

describeOnNodes("headers of another hop in an answer", (proxy) => {
  beforeEach(() => {
    const lines = [...ofTheHop, ["X-Kept", "1"], ["Content-Length", "2"]];
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    // By hand: Node's own server would not say most of this.
    proxy.apiserver.handle = ({ socket }) => void socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n{}`);
  });

  it("end here over HTTP/1.1", async () => {
    const { authorization } = proxy.caller;
    const { text, statuses } = await sendBytes(proxy, http1Text(get, [], { authorization }));
    expect(statuses).toEqual([200]);
    const names = text
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(":")[0]!.toLowerCase());
    expect(names).toContain("x-kept");
    const [, ...unwanted] = ofTheHop.map(([name]) => name.toLowerCase());
    // Its own connection is kept as Node has it.
    expect(names.filter((name) => unwanted.includes(name) && name !== "keep-alive")).toEqual([]);
    expect(text).not.toContain("86400");
    expect(text).not.toMatch(/x-nominated/i);
  });

  it("end here over HTTP/2, which knows none of them", async () => {
    const fields = http2Fields(get, [], proxy.caller.authorization);
    expect((await sendHttp2Request(proxy, { fields })).status).toBe(200);
    expect(proxy.sent()).toHaveLength(1);
  });
});
