/** Audiences, times, signatures and registered claims. */
import { fromNow } from "./mint";
import { me, plain, refusedFor, withClaims, type TokenCase } from "./token-case";

const audiences: readonly TokenCase[] = [
  withClaims("audiences", "one audience of two", { aud: "plant-8" }, me),
  withClaims("audiences", "several audiences, one of them ours", { aud: ["x", "plant-7"] }, me),
  withClaims("audiences", "another audience", { aud: "plant-9" }, "refused"),
  withClaims("audiences", "several other audiences", { aud: ["x", "y"] }, "refused"),
  withClaims("plain", "no audience", { aud: undefined }, "refused"),
  withClaims("plain", "an empty list of audiences", { aud: [] }, "refused"),
  withClaims("plain", "an audience that is a number", { aud: 7 }, "refused"),
  withClaims("plain", "a list with an audience that is a number", { aud: ["plant-7", 7] }, "refused"),
  withClaims("plain", "an audience in another case", { aud: "Plant-7" }, "refused"),
];

const times: readonly TokenCase[] = [
  withClaims("plain", "a token that has expired a second ago", { exp: fromNow(-1) }, "refused"),
  withClaims("plain", "no exp", { exp: undefined }, "refused"),
  withClaims("plain", "an exp that is null", { exp: null }, "refused"),
  withClaims("plain", "an exp that is a text", { exp: "4102444800" }, me, refusedFor("numericDate")),
  withClaims("plain", "an exp that is no number", { exp: "later" }, "refused"),
  withClaims("plain", "an exp with a fraction", { exp: 4_102_444_800.5 }, me),
  withClaims("plain", "an exp beyond all time", { exp: 1e30 }, "refused"),
  withClaims("plain", "an exp of zero", { exp: 0 }, "refused"),
  withClaims("plain", "an nbf within the minute", { nbf: fromNow(40) }, me),
  withClaims("plain", "an nbf beyond the minute", { nbf: fromNow(90) }, "refused"),
  withClaims("plain", "an nbf that is null", { nbf: null }, me),
  withClaims("plain", "an nbf that is a text", { nbf: "1" }, me, refusedFor("numericDate")),
  withClaims("plain", "an nbf that is no number", { nbf: true }, "refused"),
  withClaims("plain", "an iat to come", { iat: fromNow(3_000) }, me),
  withClaims("plain", "no iat", { iat: undefined }, me),
  withClaims("plain", "an iat that is null", { iat: null }, "refused"),
  withClaims("plain", "an iat that is no number", { iat: "now" }, "refused"),
];

const algorithms = (
  [
    ["RS", "rsa", [256, 384, 512]],
    ["PS", "rsa", [256, 384, 512]],
    ["ES", "p256", [256]],
    ["ES", "p384", [384]],
    ["ES", "p521", [512]],
  ] as const
).flatMap(([kind, key, bits]) =>
  bits.map((size) =>
    plain(`${kind}${String(size)}`, { header: { alg: `${kind}${String(size)}`, kid: key }, key }, me),
  ),
);

const signatures: readonly TokenCase[] = [
  ...algorithms,
  plain("alg none without signature", { header: { alg: "none" }, key: "none" }),
  plain("alg none and a kid", { header: { alg: "none", kid: "rsa" }, key: "none" }),
  plain("HS256 with a published key", {
    header: { alg: "HS256", kid: "rsa" },
    key: "published key as secret",
  }),
  plain("EdDSA", { header: { alg: "EdDSA", kid: "ed25519" }, key: "ed25519" }),
  plain("no alg", { header: { kid: "rsa" }, signedAs: "RS256" }),
  plain("an alg that is a number", { header: { alg: 256, kid: "rsa" }, signedAs: "RS256" }),
  plain("a stranger's key under a known kid", { key: "stranger" }),
  plain("a stranger's key without kid", { header: { alg: "RS256" }, key: "stranger" }),
  plain("a stranger's key under an unknown kid", { header: { alg: "RS256", kid: "who" }, key: "stranger" }),
  plain("a known key under an unknown kid", { header: { alg: "RS256", kid: "who" } }),
  plain("a known key under the kid of another", { header: { alg: "RS256", kid: "other-rsa" } }),
  plain("a known key under the kid of another kind", { header: { alg: "RS256", kid: "p256" } }),
  plain("an alg of another kind than the key", { header: { alg: "ES256", kid: "rsa" }, signedAs: "RS256" }),
  plain("no kid", { header: { alg: "RS256" } }, me),
  plain("no kid, and the last of the keys", { header: { alg: "ES512" }, key: "p521" }, me),
  plain("an empty kid", { header: { alg: "RS256", kid: "" } }, me),
  plain("a kid that is a number", { header: { alg: "RS256", kid: 1 } }),
  plain("another typ", { header: { alg: "RS256", kid: "rsa", typ: "at+jwt" } }, me),
  plain(
    "a key in the header",
    { header: { alg: "RS256", kid: "rsa", jku: "https://evil.example.com/keys" } },
    me,
  ),
  plain("an extension that must be understood", {
    header: { alg: "RS256", kid: "rsa", crit: ["exp"], exp: 1 },
  }),
  plain("a changed payload", { change: (token) => token.replace(/\.[^.]{4}/, ".eyJa") }),
  plain("a signature cut short", { change: (token) => token.slice(0, -8) }),
  plain("no signature", { change: (token) => token.replace(/[^.]*$/, "") }),
  plain("two parts", { change: (token) => token.replace(/\.[^.]*$/, "") }),
  plain("four parts", { change: (token) => `${token}.x` }),
  plain("five parts", { change: (token) => `${token}.x.y` }),
  plain("a payload that is a list", { payload: "[1]" }),
  plain("a payload that is no JSON", { payload: "{" }),
];

const registered: readonly TokenCase[] = [
  plain("an issuer with a slash behind", {
    payload: '{"iss":"ISSUER/","aud":"plant-7","sub":"me","exp":EXP}',
  }),
  plain("an issuer in another case", {
    payload: '{"iss":"HTTPS://ISSUER","aud":"plant-7","sub":"me","exp":EXP}',
  }),
  plain("no issuer", { payload: '{"aud":"plant-7","sub":"me","exp":EXP}' }),
  plain("an issuer that is a number", { payload: '{"iss":1,"aud":"plant-7","sub":"me","exp":EXP}' }),
  plain("a claim twice", { payload: '{"iss":"ISSUER","aud":"plant-7","sub":"a","sub":"me","exp":EXP}' }, me),
  plain("EXP for exp", { payload: '{"iss":"ISSUER","aud":"plant-7","sub":"me","EXP":EXP}' }),
  plain("Sub for sub", { payload: '{"iss":"ISSUER","aud":"plant-7","Sub":"me","exp":EXP}' }),
  withClaims("bare", "a nonce that is a number", { nonce: 1 }, "refused"),
  withClaims("bare", "an at_hash that is a number", { at_hash: 1 }, "refused"),
  withClaims(
    "fallback",
    "a sub that is a number, beside the name that counts",
    { sub: 1, name: "me" },
    "refused",
  ),
  withClaims("fallback", "no sub, beside the name that counts", { sub: undefined, name: "me" }, me),
];

export const verification = [...audiences, ...times, ...signatures, ...registered];
