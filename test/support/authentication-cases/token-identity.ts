/** User names, uids and groups. */
import { me, refusedFor, withClaims, type TokenCase, type User } from "./token-case";

const manyGroups = Array.from({ length: 201 }, (_, index) => `n${String(index)}`);

const names: readonly TokenCase[] = [
  withClaims("plain", "no user name", { sub: undefined }, "refused"),
  withClaims("plain", "an empty user name", { sub: "" }, { username: "" }, refusedFor("emptyName")),
  withClaims("plain", "a user name that is null", { sub: null }, { username: "" }, refusedFor("emptyName")),
  withClaims(
    "prefixed",
    "an empty user name behind a prefix",
    { sub: "" },
    { username: "oidc:" },
    refusedFor("emptyName"),
  ),
  withClaims("prefixed", "a user name behind a prefix", {}, { username: "oidc:me" }),
  withClaims("plain", "a user name beyond ASCII", { sub: "jörg@例.jp" }, { username: "jörg@例.jp" }),
  withClaims(
    "plain",
    "a user name with a line end",
    { sub: "me\r\nyou" },
    { username: "me\r\nyou" },
    refusedFor("unprintable"),
  ),
  withClaims(
    "plain",
    "a user name with NUL",
    { sub: "me\0" },
    { username: "me\0" },
    refusedFor("unprintable"),
  ),
  withClaims(
    "plain",
    "a user name with a blank behind",
    { sub: "me " },
    { username: "me " },
    refusedFor("unprintable"),
  ),
  withClaims(
    "plain",
    "a user name of the cluster's own",
    { sub: "system:admin" },
    { username: "system:admin" },
    refusedFor("systemName"),
  ),
  withClaims("elsewhere", "a discovery document elsewhere", {}, me),
  withClaims("uid", "a uid", { oid: "7" }, { username: "me", uid: "7" }),
  withClaims("uid", "no uid where one is asked for", {}, "refused"),
  withClaims("uid", "an empty uid", { oid: "" }, me),
  withClaims("uid", "a uid that is null", { oid: null }, me),
  withClaims("uid", "a uid that is a number", { oid: 7 }, "refused"),
  withClaims(
    "email",
    "an address that is verified",
    { email: "a@b.c", email_verified: true },
    { username: "a@b.c" },
  ),
  withClaims("email", "an address that nobody speaks of", { email: "a@b.c" }, { username: "a@b.c" }),
  withClaims(
    "email",
    "an address that is not verified",
    { email: "a@b.c", email_verified: false },
    "refused",
  ),
  withClaims(
    "email",
    "an address that is verified by a text",
    { email: "a@b.c", email_verified: "true" },
    "refused",
  ),
  withClaims(
    "email",
    "an address whose verification is null",
    { email: "a@b.c", email_verified: null },
    "refused",
  ),
];

const inGroups = (...groups: string[]): User => ({ username: "me", groups });
const groups: readonly TokenCase[] = [
  withClaims("plain", "groups", { groups: ["a", "b"] }, inGroups("g:a", "g:b")),
  withClaims("plain", "a single group", { groups: "a" }, inGroups("g:a")),
  withClaims("plain", "groups that are null", { groups: null }, me),
  withClaims("plain", "an empty list of groups", { groups: [] }, me),
  withClaims("plain", "an empty group", { groups: "" }, inGroups("g:"), { here: me, differs: "emptyGroup" }),
  withClaims("plain", "a list with an empty group", { groups: ["", "a"] }, inGroups("g:", "g:a"), {
    here: inGroups("g:a"),
    differs: "emptyGroup",
  }),
  withClaims("plain", "a list with null", { groups: [null] }, inGroups("g:"), refusedFor("nullInList")),
  withClaims("plain", "a list with a number", { groups: ["a", 1] }, "refused"),
  withClaims("plain", "groups that are a number", { groups: 1 }, "refused"),
  withClaims("plain", "groups that are an object", { groups: { a: "b" } }, "refused"),
  withClaims("plain", "a list of lists", { groups: [["a"]] }, "refused"),
  withClaims("plain", "a group twice", { groups: ["a", "a"] }, inGroups("g:a", "g:a")),
  withClaims("plain", "a group with a comma", { groups: ["a,b"] }, inGroups("g:a,b")),
  withClaims(
    "bare",
    "a group of the cluster's own",
    { groups: ["system:masters"] },
    inGroups("system:masters"),
    refusedFor("systemName"),
  ),
  withClaims(
    "bare",
    "201 groups",
    { groups: manyGroups },
    inGroups(...manyGroups),
    refusedFor("tooManyGroups"),
  ),
  withClaims("bare", "200 groups", { groups: manyGroups.slice(1) }, inGroups(...manyGroups.slice(1))),
  withClaims(
    "plain",
    "groups that are elsewhere",
    { _claim_names: { groups: "s" }, _claim_sources: { s: { endpoint: "https://127.0.0.1:9/groups" } } },
    "refused",
  ),
  withClaims(
    "plain",
    "groups that are elsewhere, nobody says where",
    { _claim_names: { groups: "s" } },
    "refused",
  ),
  withClaims(
    "plain",
    "groups that are here, and elsewhere as well",
    {
      groups: ["a"],
      _claim_names: { groups: "s" },
      _claim_sources: { s: { endpoint: "https://127.0.0.1:9/groups" } },
    },
    inGroups("g:a"),
  ),
  withClaims(
    "plain",
    "groups that are here, and elsewhere nobody says where",
    { groups: ["a"], _claim_names: { groups: "s" } },
    "refused",
  ),
  withClaims(
    "plain",
    "another claim that is elsewhere",
    { _claim_names: { photo: "s" }, _claim_sources: { s: { endpoint: "https://127.0.0.1:9/photo" } } },
    me,
  ),
  withClaims("groupsExpression", "groups by an expression", { groups: ["a", ""] }, inGroups("a")),
  withClaims("groupsExpression", "a single group by an expression", { groups: "a" }, inGroups("a")),
  withClaims("groupsExpression", "null by an expression", { groups: null }, me),
  withClaims("groupsExpression", "no groups for an expression that asks for them", {}, "refused"),
  withClaims("groupsExpression", "a number by an expression", { groups: [1] }, "refused"),
];

const lists: readonly TokenCase[] = [
  withClaims("split", "groups split off a text", { groups: "a b" }, "refused", {
    here: inGroups("a", "b"),
    differs: "listOfTexts",
  }),
  withClaims(
    "concatenated",
    "groups beside those that everybody has",
    { groups: ["a"] },
    inGroups("all", "a"),
  ),
  withClaims("concatenated", "a text beside the groups that everybody has", { groups: "a" }, "refused"),
  withClaims("sorted", "groups that are sorted", { groups: ["b", "a", "b"] }, inGroups("a", "b")),
];

export const identities = [...names, ...groups, ...lists];
