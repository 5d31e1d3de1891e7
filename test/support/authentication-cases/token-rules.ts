/** Rules over claims and users, and mappings by expression. */
import { fromNow } from "./mint";
import { me, withClaims, type TokenCase, type User } from "./token-case";

const inGroups = (...groups: string[]): User => ({ username: "me", groups });

const rules: readonly TokenCase[] = [
  withClaims("required", "a claim as required", { hd: "example.com" }, me),
  withClaims("required", "a claim not as required", { hd: "example.org" }, "refused"),
  withClaims("required", "no claim where one is required", {}, "refused"),
  withClaims("required", "a list where a text is required", { hd: ["example.com"] }, "refused"),
  withClaims("required", "null where a text is required", { hd: null }, "refused"),
  withClaims("lifetime", "a lifetime within the rule", {}, me),
  withClaims("lifetime", "a lifetime beyond the rule", { exp: fromNow(700) }, "refused"),
  withClaims("lifetime", "a rule over a claim that is not there", { iat: undefined }, "refused"),
  withClaims("lifetime", "a pattern that fits", { ref: "refs/heads/release-1" }, me),
  withClaims("lifetime", "a pattern that does not fit", { ref: "refs/heads/main2" }, "refused"),
  withClaims("lifetime", "a pattern over a number", { ref: 7 }, "refused"),
  withClaims(
    "users",
    "a user that the rules let be",
    { groups: ["a"], oid: "abc" },
    { ...inGroups("g:a"), uid: "abc" },
  ),
  withClaims("users", "a user name that a rule refuses", { sub: "system:x" }, "refused"),
  withClaims("users", "a uid that a rule refuses", { oid: "abcd" }, "refused"),
  withClaims("credential", "a rule over the token's id", { jti: "me" }, me),
  withClaims("credential", "a rule over another token's id", { jti: "you" }, "refused"),
  withClaims("credential", "a rule over the id of a token without one", {}, "refused"),
];

const expressions: readonly TokenCase[] = [
  withClaims(
    "expressions",
    "user, groups, uid and extras by expressions",
    { roles: ["r", "", "s"], oid: "7", scp: "a b", tid: "t" },
    {
      username: "ci:me",
      groups: ["role:r", "role:s"],
      uid: "7",
      extra: { "example.com/scopes": ["a", "b"], "example.com/tenant": ["t"] },
    },
  ),
  withClaims("expressions", "extras that are empty", { roles: [], oid: "" }, { username: "ci:me" }),
  withClaims("expressions", "an extra that is a number", { roles: [], oid: "", tid: 7 }, "refused"),
  withClaims("expressions", "a role that is a number", { roles: [1], oid: "" }, "refused"),
  withClaims("expressions", "roles that are a text", { roles: "r", oid: "" }, "refused"),
  withClaims("expressions", "a uid that is a number", { roles: [], oid: 7 }, "refused"),
  withClaims("expressions", "no uid", { roles: [] }, "refused"),
  withClaims("branches", "an app", { idtyp: "app", azp: "a", oid: "o" }, { username: "app:a" }),
  withClaims("branches", "a user", { azp: "a", oid: "o" }, { username: "user:o" }),
  withClaims("branches", "a kind that is a number", { idtyp: 7, azp: "a", oid: "o" }, { username: "user:o" }),
  withClaims("branches", "an app without its id", { idtyp: "app" }, "refused"),
  withClaims("numbers", "a number of seven digits", { n: 1_234_567 }, { username: "1.234567e+06" }),
  withClaims("numbers", "a number of six digits", { n: 123_456 }, { username: "123456" }),
  withClaims("numbers", "a fraction", { n: 0.00001 }, { username: "1e-05" }),
  withClaims("numbers", "a truth for a number", { n: true }, { username: "true" }),
  withClaims("numbers", "a list for a number", { n: [1] }, "refused"),
  withClaims("integers", "a number of ten digits", { n: 1_234_567_890 }, { username: "1234567890" }),
  withClaims("integers", "digits", { n: "0123" }, { username: "123" }),
  withClaims("integers", "digits with a blank", { n: " 1" }, "refused"),
  withClaims("integers", "a number beyond 64 bits", { n: 1e20 }, "refused"),
  withClaims("escaped", "names with dots and dashes", { "a.b": "x", o: { "x-y": "z" } }, { username: "xz" }),
  withClaims(
    "escaped",
    "names written as they are escaped",
    { a__dot__b: "x", o: { x__dash__y: "z" } },
    "refused",
  ),
  withClaims("fallback", "a claim that is there", { name: "you" }, { username: "you" }),
  withClaims("fallback", "a claim that is not there", {}, me),
  withClaims("fallback", "a claim that is null", { name: null }, "refused"),
  withClaims(
    "parts",
    "parts of a text",
    { sub: "a:b:c", groups: ["admins", "x"] },
    { username: "b", groups: ["admins"] },
  ),
  withClaims("parts", "a set that is not contained", { sub: "a:b:c", groups: ["x"] }, { username: "b" }),
  withClaims("parts", "a part that is not there", { sub: "a", groups: [] }, "refused"),
  withClaims("parts", "a part that is empty", { sub: "a::c", groups: [] }, "refused"),
  withClaims("anyValue", "a user name that is a number", { v: 7 }, "refused"),
  withClaims("anyValue", "a user name that is a list", { v: ["me"] }, "refused"),
  withClaims("anyValue", "a user name that is a truth", { v: true }, "refused"),
  withClaims(
    "anyValue",
    "a user name called like a property",
    { v: "constructor" },
    { username: "constructor" },
  ),
];

export const rulesAndExpressions = [...rules, ...expressions];
