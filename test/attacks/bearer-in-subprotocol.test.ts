/** Kubernetes lets a WebSocket client carry its token as a subprotocol: a second place for a credential. */
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

const prefix = "base64url.bearer.authorization.k8s.io.";
const encode = (text: string) => Buffer.from(text).toString("base64url");
const offering = (protocols: string, kind: RequestKind): RequestKind => ({
  ...kind,
  lines: [
    ...kind.lines.filter((line) => !line.startsWith("Sec-WebSocket-Protocol")),
    ...(protocols === "" ? [] : [`Sec-WebSocket-Protocol: ${protocols}`]),
  ],
});

describeOnNodes("a bearer in the WebSocket subprotocol", (proxy) => {
  const sendOnce = async (kind: RequestKind, protocols: string, authorization?: string) => {
    const { statuses } = await sendBytes(proxy, http1Text(offering(protocols, kind), [], { authorization }));
    const fields = http2Fields(kind, [["sec-websocket-protocol", protocols]], authorization);
    return {
      http1: statuses[0],
      http1Sent: proxy.sent().length,
      http2: (await sendHttp2Request(proxy, { fields })).status,
    };
  };

  describe.each([
    ["GET", get],
    ["exec by GET", execByGet],
    ["exec by POST", execByPost],
  ])("%s", (_, kind) => {
    it.each([
      ["beside the header", (token: string) => `v5.channel.k8s.io, ${prefix}${encode(token)}`],
      ["beside the header, in upper case", (token: string) => `${prefix.toUpperCase()}${encode(token)}, v5`],
      ["beside the header, unreadable", () => `v5.channel.k8s.io, ${prefix}`],
    ])("is refused %s", async (__, protocols) => {
      const answer = await sendOnce(kind, protocols(proxy.caller.token), proxy.caller.authorization);
      expect(answer).toEqual({ http1: 400, http1Sent: 0, http2: 400 });
      expect(proxy.sent()).toHaveLength(0);
    });

    it("is refused twice", async () => {
      const { token } = proxy.caller;
      const twice = `v5, ${prefix}${encode(token)}, ${prefix}${encode(token)}`;
      expect(await sendOnce(kind, twice)).toEqual({ http1: 400, http1Sent: 0, http2: 400 });
      expect(proxy.sent()).toHaveLength(0);
    });

    it.each([
      ["empty", ""],
      ["no base64url", "a+b/c="],
      ["a header to be", encode("x\r\nImpersonate-User: system:intruder")],
      ["words", encode("Bearer x")],
    ])("is no token when it is %s", async (__, encoded) => {
      const kindOffering = offering(`v5.channel.k8s.io, ${prefix}${encoded}`, kind);
      const { statuses, text } = await sendBytes(proxy, http1Text(kindOffering, [], {}));
      expect(statuses).toEqual([401]);
      // Refused as what it is, before anybody tries to read it as a token.
      expect(text).toContain("the subprotocol's token is not base64url");
      const fields = http2Fields(kind, [["sec-websocket-protocol", `v5, ${prefix}${encoded}`]], undefined);
      expect((await sendHttp2Request(proxy, { fields })).status).toBe(401);
      expect(proxy.sent()).toHaveLength(0);
    });

    it("alone is the caller's, and goes no further than here", async () => {
      const protocols = `v4.channel.k8s.io, ${prefix}${encode(proxy.caller.token)}, v5.channel.k8s.io`;
      const answer = await sendOnce(kind, protocols);
      expect(answer).toEqual({ http1: kind.answeredWith, http1Sent: 1, http2: 200 });
      const offered = proxy
        .sent()
        .flatMap(({ lines }) => lines.filter(([name]) => name === "Sec-WebSocket-Protocol"))
        .map(([, value]) => value);
      expect(offered).toEqual(kind === execByGet ? ["v4.channel.k8s.io, v5.channel.k8s.io"] : []);
    });
  });

  it("is refused when no protocol is left beside it", async () => {
    const kind = offering(`${prefix}${encode(proxy.caller.token)}`, execByGet);
    const { statuses } = await sendBytes(proxy, http1Text(kind, [], {}));
    expect(statuses).toEqual([400]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("is found on a second line as well", async () => {
    const second = `Sec-WebSocket-Protocol: ${prefix}${encode(proxy.caller.token)}`;
    const { authorization } = proxy.caller;
    const { statuses } = await sendBytes(proxy, http1Text(execByGet, [second], { authorization }));
    expect(statuses).toEqual([400]);
    expect(proxy.sent()).toHaveLength(0);
  });
});
