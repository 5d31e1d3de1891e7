/** Claims that would be header lines of their own once they are a header's value. */
import { describeAttack, describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, sendBytes } from "./fixture/requests";
import { minted } from "./fixture/token-rows";

const line = "x\r\nImpersonate-Group: system:masters";
const refused = (name: string, claims: Readonly<Record<string, unknown>>) => minted(name, claims, [403]);

describeAttack("control characters in claims", [
  refused("a line in the name", { sub: line }),
  refused("a line in a group", { groups: ["ok", line] }),
  refused("a line in the uid", { uid: line }),
  refused("a bare LF", { sub: "a\nb" }),
  refused("a bare CR", { sub: "a\rb" }),
  refused("NUL", { sub: "a\0b" }),
  refused("a tab", { sub: "a\tb" }),
  refused("DEL", { sub: "a\u007fb" }),
  refused("NEL, a line end in Unicode", { sub: "a\u0085b" }),
  refused("half of a surrogate pair", { sub: "a\ud800b" }),
]);

describeOnNodes("claims beyond Latin-1", (proxy) => {
  it("arrive as UTF-8, and their low bytes are no line end", async () => {
    // U+010D and U+010A: cut to a byte each, they would be CR and LF.
    const subject = "jörg@例.jp \u010d\u010aImpersonate-User: x";
    const token = await proxy.issuer.mint(
      { groups: proxy.caller.groups.map((group) => group.slice("github:".length)), uid: proxy.caller.uid },
      { subject },
    );
    const user = Buffer.from(`github:${subject}`).toString("latin1");
    proxy.caller = { ...proxy.caller, token, user };
    const { statuses } = await sendBytes(proxy, http1Text(get, [], { authorization: `Bearer ${token}` }));
    expect(statuses).toEqual([200]);
    expect(proxy.sent()).toHaveLength(1);
  });
});
