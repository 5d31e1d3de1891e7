import type { HeaderLines } from "../../../src/auth-proxy/header-lines";
import { wantedUser } from "../../../src/auth-proxy/wanted-user";

const alice: HeaderLines = [["Impersonate-User", "alice"]];
const latin1 = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("whom a caller wants to be", () => {
  it("is nobody without a header of that kind", () => {
    expect(wantedUser([["Accept", "Impersonate-User"]])).toBeUndefined();
  });

  it("is a user, groups that are not split, a uid, and extras whose keys are unescaped", () => {
    expect(
      wantedUser([
        ["impersonate-user", latin1("jörg@例.jp")],
        ["Impersonate-Group", "a,b"],
        ["Impersonate-Group", "c"],
        ["Impersonate-Uid", "7"],
        ["Impersonate-Extra-Example.com%2FTeam", "x"],
        ["impersonate-extra-example.com%2fteam", "y"],
        ["Impersonate-Extra-scopes", "z"],
      ]),
    ).toEqual({
      username: "jörg@例.jp",
      groups: ["a,b", "c"],
      uid: "7",
      extra: { "example.com/team": ["x", "y"], scopes: ["z"] },
    });
  });

  it.each<[string, HeaderLines]>([
    ["two users", [...alice, ...alice]],
    ["two uids", [...alice, ["Impersonate-Uid", "1"], ["impersonate-uid", "2"]]],
    ["an empty user, which the apiserver takes for none", [["Impersonate-User", ""]]],
    ["a blank user", [["Impersonate-User", " "]]],
    ["a group without a user", [["Impersonate-Group", "g"]]],
    ["a uid without a user", [["Impersonate-Uid", "1"]]],
    ["an extra without a user", [["Impersonate-Extra-a", "g"]]],
    ["an empty group", [...alice, ["Impersonate-Group", ""]]],
    ["an empty extra", [...alice, ["Impersonate-Extra-a", ""]]],
    ["bytes that are no UTF-8", [["Impersonate-User", "\xff"]]],
    ["a key with an escape that is none", [...alice, ["Impersonate-Extra-a%zz", "x"]]],
    ["a key in capitals behind an escape", [...alice, ["Impersonate-Extra-%41", "x"]]],
    ["a key with a blank", [...alice, ["Impersonate-Extra-a%20b", "x"]]],
    ["a key beyond ASCII", [...alice, ["Impersonate-Extra-%C3%BC", "x"]]],
    ["a header that Connection nominates", [...alice, ["Connection", "close, impersonate-user"]]],
    ["another one that Connection nominates", [...alice, ["connection", "Impersonate-Group"]]],
  ])("is refused with %s", (_, lines) => {
    expect(() => wantedUser(lines)).toThrow(
      expect.objectContaining({ code: "ERR_AUTH_PROXY_MALFORMED_REQUEST" }),
    );
  });
});
