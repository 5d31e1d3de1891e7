import { trustedIssuers } from "../../../src/identity/configuration/settings";
import { createEntryMapper } from "../../../src/identity/entry-mapper";
import type { Identity } from "../../../src/identity/identity";
import { identityPolicy } from "../../../src/identity/identity-policy";

const byClaim = {
  username: { claim: "sub", prefix: "ci:" },
  groups: { claim: "groups", prefix: "ci:" },
};
const byExpression = (expression: string) => ({ username: { expression } });
const failure = (code: string) => expect.objectContaining({ code });

interface Entry {
  readonly claimMappings?: object | undefined;
  readonly claimValidationRules?: readonly object[];
  readonly userValidationRules?: readonly object[];
}

function mapperFor(entry: Entry, policy: object = {}, maxExpressionCost = 1_000_000) {
  const [parsed] = trustedIssuers.parse([
    { issuer: { url: "https://issuer.example.com", audiences: ["a"] }, claimMappings: byClaim, ...entry },
  ]);
  const mapper = createEntryMapper(parsed!, { policy: identityPolicy.parse(policy), maxExpressionCost });
  return (claims: object): Identity | undefined => mapper.map(claims as Record<string, unknown>);
}
const map = mapperFor({});

describe("mapping by claim and prefix", () => {
  it("puts prefixes before user and groups, and takes the uid as it is", () => {
    const withUid = mapperFor({ claimMappings: { ...byClaim, uid: { claim: "oid" } } });
    expect(withUid({ sub: "a", groups: ["x", "y"], oid: "7" })).toEqual({
      username: "ci:a",
      groups: ["ci:x", "ci:y"],
      uid: "7",
      extra: {},
    });
  });

  it("takes a single group for a list of one, and none for an empty or absent claim", () => {
    expect(map({ sub: "a", groups: "x" })?.groups).toEqual(["ci:x"]);
    for (const groups of [undefined, null, "", [], [""]])
      expect(map({ sub: "a", groups })?.groups).toEqual([]);
  });

  it("refuses a token without the uid that is asked for", () => {
    const withUid = mapperFor({ claimMappings: { ...byClaim, uid: { claim: "oid" } } });
    for (const oid of [undefined, 7, ["a"]]) {
      expect(() => withUid({ sub: "a", oid })).toThrow(failure("ERR_TOKEN_CLAIM"));
    }
    for (const oid of ["", null]) expect(withUid({ sub: "a", oid })).not.toHaveProperty("uid");
  });

  it.each([undefined, null, "", "  ", 7, ["a"], {}])("refuses %p as a user name, prefix or not", (sub) => {
    expect(() => map({ sub })).toThrow(failure("ERR_TOKEN_CLAIM"));
  });

  it.each([[["a", 1]], [7], [{}], [[["a"]]]])("refuses %j as groups", (groups) => {
    expect(() => map({ sub: "a", groups })).toThrow(failure("ERR_TOKEN_CLAIM"));
  });

  it("does not name anybody after an address that the issuer calls unverified", () => {
    const byEmail = mapperFor({ claimMappings: { username: { claim: "email", prefix: "" } } });
    expect(byEmail({ email: "a@b.c" })?.username).toBe("a@b.c");
    expect(byEmail({ email: "a@b.c", email_verified: true })?.username).toBe("a@b.c");
    for (const email_verified of [false, "true", null]) {
      expect(() => byEmail({ email: "a@b.c", email_verified })).toThrow(failure("ERR_TOKEN_CLAIM"));
    }
  });
});

describe("mapping by expression", () => {
  it("makes user, groups, uid and extras of what the expressions give", () => {
    const mapper = mapperFor({
      claimMappings: {
        username: { expression: '"azure:" + claims.tid + "/" + claims.oid' },
        groups: { expression: 'dyn(claims.roles).map(r, "role:" + r)' },
        uid: { expression: "claims.oid" },
        extra: [
          { key: "example.com/tenant", valueExpression: "claims.tid" },
          { key: "example.com/scopes", valueExpression: 'claims.scp.split(" ")' },
          { key: "example.com/none", valueExpression: 'claims.?nothing.orValue("")' },
        ],
      },
    });
    expect(mapper({ tid: "t", oid: "o", roles: ["r"], scp: "a b" })).toEqual({
      username: "azure:t/o",
      groups: ["role:r"],
      uid: "o",
      extra: { "example.com/tenant": ["t"], "example.com/scopes": ["a", "b"] },
    });
  });

  it.each(["claims.sub", "claims.n", "claims.list", "claims.nothing", '""', '" "'])(
    "refuses what %s gives as a user name",
    (expression) => {
      expect(() =>
        mapperFor({ claimMappings: byExpression(expression) })({ sub: null, n: 7, list: ["a"] }),
      ).toThrow(/ERR|expression|user name/);
    },
  );

  it("reads null and empty texts as no groups, and refuses what are not texts", () => {
    const groups = mapperFor({
      claimMappings: { username: byClaim.username, groups: { expression: "claims.g" } },
    });
    for (const g of [null, "", [], ["", ""]]) expect(groups({ sub: "a", g })?.groups).toEqual([]);
    expect(groups({ sub: "a", g: ["x", ""] })?.groups).toEqual(["x"]);
    for (const g of [1, [1], [null], {}, true]) {
      expect(() => groups({ sub: "a", g })).toThrow(failure("ERR_TOKEN_EXPRESSION"));
    }
  });

  it("stops an expression that takes too many steps", () => {
    const claimMappings = {
      ...byClaim,
      groups: { expression: "dyn(claims.g).filter(x, dyn(claims.g).exists(y, x == y + x))" },
    };
    const g = Array.from({ length: 2_000 }, () => "x");
    expect(() => mapperFor({ claimMappings }, {}, 10_000)({ sub: "a", g })).toThrow(
      "the expression costs too much to evaluate",
    );
  });
});

describe("rules", () => {
  it("demand a claim's value, or that an expression holds, and say what was wanted", () => {
    const ruled = mapperFor({
      claimValidationRules: [
        { claim: "hd", requiredValue: "example.com" },
        { expression: "claims.exp - claims.iat <= 600.0", message: "tokens live ten minutes at most" },
      ],
    });
    const good = { sub: "a", hd: "example.com", exp: 1_500, iat: 1_000 };
    expect(ruled(good)?.username).toBe("ci:a");
    expect(() => ruled({ ...good, hd: "other" })).toThrow('claim hd must be "example.com"');
    expect(() => ruled({ ...good, hd: undefined })).toThrow(failure("ERR_TOKEN_CLAIM"));
    expect(() => ruled({ sub: "a" })).toThrow(failure("ERR_TOKEN_RULE"));
    expect(() => ruled({ ...good, exp: 2_000 })).toThrow("tokens live ten minutes at most");
    expect(() => ruled({ ...good, exp: undefined })).toThrow(failure("ERR_TOKEN_EXPRESSION"));
  });

  it("look at the user that the mappings have made, and at the token's id as the kube-apiserver does", () => {
    const ruled = mapperFor({
      claimMappings: { ...byClaim, extra: [{ key: "example.com/x", valueExpression: "claims.x" }] },
      userValidationRules: [
        { expression: '!user.username.endsWith("root")', message: "root is nobody" },
        { expression: 'user.groups.size() < 2 && user.uid == ""' },
        { expression: 'user.extra[?"example.com/x"].orValue(["ok"]) == ["ok"]' },
        { expression: 'user.extra["authentication.kubernetes.io/credential-id"] == ["JTI=j"]' },
      ],
    });
    expect(ruled({ sub: "a", x: "ok", jti: "j" })).toEqual({
      username: "ci:a",
      groups: [],
      extra: { "example.com/x": ["ok"] },
    });
    expect(() => ruled({ sub: "root", x: "ok", jti: "j" })).toThrow("root is nobody");
    expect(() => ruled({ sub: "a", groups: ["1", "2"], x: "ok", jti: "j" })).toThrow(
      failure("ERR_IDENTITY_RULE"),
    );
    expect(() => ruled({ sub: "a", x: "no", jti: "j" })).toThrow(failure("ERR_IDENTITY_RULE"));
    expect(() => ruled({ sub: "a", x: "ok" })).toThrow(failure("ERR_TOKEN_EXPRESSION"));
  });

  it("hold for a token that is not mapped to anybody, too", () => {
    const ruled = mapperFor({
      claimMappings: undefined,
      claimValidationRules: [{ claim: "a", requiredValue: "b" }],
    });
    expect(ruled({ a: "b" })).toBeUndefined();
    expect(() => ruled({ a: "c" })).toThrow(failure("ERR_TOKEN_RULE"));
  });
});

describe("what an identity may be", () => {
  const bare = {
    claimMappings: { username: { claim: "sub", prefix: "" }, groups: { claim: "groups", prefix: "" } },
  };

  it("excludes names that belong to the cluster", () => {
    for (const claims of [{ sub: "system:admin" }, { sub: "a", groups: ["system:masters"] }]) {
      expect(() => mapperFor(bare)(claims)).toThrow(failure("ERR_IDENTITY_RESERVED"));
      expect(mapperFor(bare, { allowSystemNames: true })(claims)).toBeDefined();
    }
    const sly = mapperFor({ claimMappings: { username: { claim: "sub", prefix: "sys" } } });
    expect(() => sly({ sub: "tem:admin" })).toThrow(failure("ERR_IDENTITY_RESERVED"));
    const expressed = mapperFor({ claimMappings: byExpression('"system:" + claims.sub') });
    expect(() => expressed({ sub: "admin" })).toThrow(failure("ERR_IDENTITY_RESERVED"));
  });

  it("lets those names pass that are named in the configuration", () => {
    const allowSystemNames = ["system:serviceaccount:ci:deployer", "system:serviceaccounts:*"];
    const named = mapperFor(bare, { allowSystemNames });
    for (const claims of [
      { sub: "system:serviceaccount:ci:deployer" },
      { sub: "a", groups: ["system:serviceaccounts:ci"] },
    ]) {
      expect(named(claims)).toBeDefined();
    }
    for (const claims of [
      { sub: "system:serviceaccount:ci:deployer2" },
      { sub: "system:serviceaccount:ci" },
      { sub: "a", groups: ["system:serviceaccounts"] },
      { sub: "a", groups: ["system:masters"] },
    ]) {
      expect(() => named(claims)).toThrow(failure("ERR_IDENTITY_RESERVED"));
    }
    for (const wrong of ["system:*x", "system:a*", "masters", "*", "system:"]) {
      expect(identityPolicy.safeParse({ allowSystemNames: [wrong] }).success).toBe(false);
    }
  });

  it.each(["a\0", "a\nb", "a\rb", "a\x7f", "a\x9f", "\ud800", "a ", "a\u00a0"])(
    "excludes %j anywhere",
    (text) => {
      const all = mapperFor({
        claimMappings: {
          ...byClaim,
          uid: { claim: "oid" },
          extra: [{ key: "example.com/x", valueExpression: "claims.x" }],
        },
      });
      const good = { sub: "a", oid: "7", x: "x" };
      expect(all(good)).toBeDefined();
      for (const claims of [
        { sub: text },
        { groups: [text] },
        { oid: text },
        { x: text },
        { x: ["a", text] },
      ]) {
        expect(() => all({ ...good, ...claims })).toThrow(failure("ERR_IDENTITY_INVALID"));
      }
    },
  );

  it("is bounded in groups, extras and length", () => {
    const bounded = mapperFor(
      { claimMappings: { ...byClaim, extra: [{ key: "example.com/x", valueExpression: "claims.x" }] } },
      { maxGroups: 2, maxNameBytes: 6, maxExtraValues: 2 },
    );
    const good = { sub: "a", groups: ["1", "2"], x: ["1", "2"] };
    expect(bounded(good)).toBeDefined();
    expect(() => bounded({ ...good, groups: ["1", "2", "3"] })).toThrow(
      failure("ERR_IDENTITY_TOO_MANY_GROUPS"),
    );
    for (const claims of [
      { sub: "äää" },
      { x: ["1", "2", "3"] },
      { x: "1234567" },
      { groups: ["1234567"] },
    ]) {
      expect(() => bounded({ ...good, ...claims })).toThrow(failure("ERR_IDENTITY_INVALID"));
    }
  });
});

describe("a groups overage", () => {
  const overages = [{ _claim_names: { groups: "src1" } }, { hasgroups: true }, { hasgroups: "true" }];

  it("is refused instead of being read as no groups", () => {
    for (const overage of overages) {
      expect(() => map({ sub: "a", ...overage })).toThrow(failure("ERR_IDENTITY_GROUPS_OVERAGE"));
      expect(map({ sub: "a", groups: ["x"], ...overage })?.groups).toEqual(["ci:x"]);
    }
    const withoutGroups = mapperFor({ claimMappings: { username: byClaim.username } });
    expect(withoutGroups({ sub: "a", hasgroups: true })).toBeDefined();
  });

  it.each([
    ["a mapping with a default", { groups: { expression: "claims.?groups.orValue([])" } }, []],
    [
      "a mapping that goes through all claims",
      { groups: { expression: "dyn(claims).?groups.orValue([])" } },
      [],
    ],
    ["a user name", { username: { expression: 'has(claims.groups) ? "member" : claims.sub' } }, []],
    ["a rule", {}, [{ expression: '!("banned" in claims.?groups.orValue([]))' }]],
  ])("is refused where %s would not notice", (_, mappings, claimValidationRules) => {
    const claimMappings = { username: byClaim.username, ...mappings };
    const mapper = mapperFor({ claimMappings, claimValidationRules });
    for (const overage of overages) {
      expect(() => mapper({ sub: "a", ...overage })).toThrow(failure("ERR_IDENTITY_GROUPS_OVERAGE"));
    }
    expect(mapper({ sub: "a" })).toBeDefined();
  });
});
