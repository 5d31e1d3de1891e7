/** The subprotocol's token in a spelling that a lenient reader takes and the apiserver does not: two opinions of one credential. */
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, http1Text, sendBytes } from "./fixture/requests";

const prefix = "base64url.bearer.authorization.k8s.io.";

describeOnNodes("a token that is almost base64url", (proxy) => {
  const send = async (protocols: readonly string[]) => {
    const lines = execByGet.lines.filter((line) => !line.startsWith("Sec-WebSocket-Protocol"));
    const offered = protocols.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${protocols.join(", ")}`];
    return (await sendBytes(proxy, http1Text({ ...execByGet, lines: [...lines, ...offered] }, [], {})))
      .statuses;
  };
  const encoded = () => Buffer.from(proxy.caller.token).toString("base64url");

  it.each([
    ["is padded", () => `${encoded()}=`],
    ["begins with something else", () => `!${encoded()}`],
    ["ends with something else", () => `${encoded()}!`],
    ["has something else within", () => `${encoded().slice(0, 8)}!${encoded().slice(8)}`],
    ["is standard base64 with its signs", () => `${encoded()}+/`],
  ])("is none when it %s", async (_, token) => {
    expect(await send(["v5.channel.k8s.io", `${prefix}${token()}`])).toEqual([401]);
    expect(proxy.sent()).toHaveLength(0);
  });

  it("is one as it should be, and goes no further", async () => {
    expect(await send(["v5.channel.k8s.io", `${prefix}${encoded()}`])).toEqual([403]);
    expect(proxy.sent()).toHaveLength(1);
  });
});

describeOnNodes("an upgrade that offers no subprotocol", (proxy) => {
  it("goes on: to offer none is not to offer the token's alone", async () => {
    const lines = execByGet.lines.filter((line) => !line.startsWith("Sec-WebSocket-Protocol"));
    const { authorization } = proxy.caller;
    const { statuses } = await sendBytes(proxy, http1Text({ ...execByGet, lines }, [], { authorization }));
    expect(statuses).toEqual([403]);
    expect(proxy.sent()).toHaveLength(1);
  });
});
