/** What a token says of its job goes into the audit log: shown as it is, or changed visibly, never as a header of its own. */
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text, sendBytes } from "./fixture/requests";

const mark = "\ufffd";

describeOnNodes("claims in the audit log's extras", (proxy) => {
  it.each<[string, unknown, string | undefined]>([
    [
      "a line end and a header",
      "a\r\nImpersonate-User: system:masters",
      `a${mark}${mark}Impersonate-User: system:masters`,
    ],
    ["a NUL", "a\0b", `a${mark}b`],
    ["half a surrogate pair", "a\ud800", `a${mark}`],
    ["blanks around it", "  a  ", "a"],
    ["blanks alone", "   ", undefined],
    ["nothing", "", undefined],
    ["a number", 7, "7"],
    ["a fraction", 7.5, undefined],
    ["a list", ["a"], undefined],
    ["an object", { a: 1 }, undefined],
    ["more than may be shown", "a".repeat(5_000), `${"a".repeat(4_093)}…`],
  ])("are shown when they hold %s", async (_, repository, shown) => {
    const { token } = proxy.caller;
    const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as Record<
      string,
      unknown
    >;
    const { sub, groups, uid } = claims;
    const other = await proxy.issuer.mint({ groups, uid, repository }, { subject: String(sub) });
    const { statuses } = await sendBytes(proxy, http1Text(get, [], { authorization: `Bearer ${other}` }));
    expect(statuses).toEqual([200]);
    const extras = proxy.sent()[0]!.lines.filter(([name]) => /%2frepository$/i.test(name));
    const values = extras.map(([, value]) => Buffer.from(value, "latin1").toString("utf8"));
    expect(values).toEqual(shown === undefined ? [] : [shown]);
  });
});
