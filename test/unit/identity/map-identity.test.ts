import { mapIdentity } from "../../../src/identity/map-identity";

const mappings = {
  username: { claim: "sub", prefix: "ci:" },
  groups: { claim: "groups", prefix: "ci:" },
  uid: { claim: "oid" },
};
const failure = (code: string) => expect.objectContaining({ code });

describe("mapping of claims to an identity", () => {
  it("puts prefixes before user and groups, and takes the uid as it is", () => {
    expect(mapIdentity({ sub: "a", groups: ["x", "y"], oid: "7" }, mappings)).toEqual({
      username: "ci:a",
      groups: ["ci:x", "ci:y"],
      uid: "7",
      extra: {},
    });
  });

  it("takes a single group for a list of one, and none for an empty or absent claim", () => {
    expect(mapIdentity({ sub: "a", groups: "x", oid: "" }, mappings).groups).toEqual(["ci:x"]);
    for (const groups of [undefined, null, "", [], [""]]) {
      expect(mapIdentity({ sub: "a", groups, oid: null }, mappings).groups).toEqual([]);
    }
  });

  it("refuses a token without the uid that is asked for", () => {
    for (const oid of [undefined, 7, ["a"]]) {
      expect(() => mapIdentity({ sub: "a", oid }, mappings)).toThrow(failure("ERR_TOKEN_CLAIM"));
    }
    expect(mapIdentity({ sub: "a", oid: "" }, mappings)).not.toHaveProperty("uid");
  });

  it.each([undefined, null, "", "  ", 7, ["a"], {}])("refuses %p as a user name, prefix or not", (sub) => {
    expect(() => mapIdentity({ sub }, mappings)).toThrow(failure("ERR_TOKEN_CLAIM"));
  });

  it.each([[["a", 1]], [7], [{}], [[["a"]]]])("refuses %j as groups", (groups) => {
    expect(() => mapIdentity({ sub: "a", groups }, mappings)).toThrow(failure("ERR_TOKEN_CLAIM"));
  });

  it("refuses names that belong to the cluster, unless it is told otherwise", () => {
    const bare = { username: { claim: "sub", prefix: "" }, groups: { claim: "groups", prefix: "" } };
    const allowing = { allowSystemNames: true, maxGroups: 5, maxNameBytes: 100 };
    for (const claims of [{ sub: "system:admin" }, { sub: "a", groups: ["system:masters"] }]) {
      expect(() => mapIdentity(claims, bare)).toThrow(failure("ERR_IDENTITY_RESERVED"));
      expect(() => mapIdentity(claims, bare, allowing)).not.toThrow();
    }
    const sly = { username: { claim: "sub", prefix: "sys" } };
    expect(() => mapIdentity({ sub: "tem:admin" }, sly)).toThrow(failure("ERR_IDENTITY_RESERVED"));
  });

  it.each(["a\0", "a\nb", "a\rb", "a\x7f", "a\x9f", "\ud800", "a ", "a\u00a0"])(
    "refuses %j in a name",
    (text) => {
      for (const claims of [{ sub: text }, { groups: [text] }, { oid: text }]) {
        expect(() => mapIdentity({ sub: "a", oid: "7", ...claims }, mappings)).toThrow(
          failure("ERR_IDENTITY_INVALID"),
        );
      }
    },
  );

  it("keeps to its bounds of groups and of a name's length", () => {
    const policy = { allowSystemNames: false, maxGroups: 2, maxNameBytes: 6 };
    expect(() => mapIdentity({ sub: "a", oid: "7", groups: ["1", "2"] }, mappings, policy)).not.toThrow();
    expect(() => mapIdentity({ sub: "a", oid: "7", groups: ["1", "2", "3"] }, mappings, policy)).toThrow(
      failure("ERR_IDENTITY_TOO_MANY_GROUPS"),
    );
    expect(() => mapIdentity({ sub: "äää", oid: "7" }, mappings, policy)).toThrow(
      failure("ERR_IDENTITY_INVALID"),
    );
  });

  it("refuses a groups overage instead of reading it as no groups", () => {
    for (const claims of [{ _claim_names: { groups: "src1" } }, { hasgroups: true }, { hasgroups: "true" }]) {
      expect(() => mapIdentity({ sub: "a", ...claims }, mappings)).toThrow(
        failure("ERR_IDENTITY_GROUPS_OVERAGE"),
      );
    }
    const listed = { sub: "a", oid: "7", groups: ["x"], hasgroups: true };
    expect(mapIdentity(listed, mappings).groups).toEqual(["ci:x"]);
    expect(() => mapIdentity({ sub: "a", hasgroups: true }, { username: mappings.username })).not.toThrow();
  });

  it("does not name anybody after an address that the issuer calls unverified", () => {
    const byEmail = { username: { claim: "email", prefix: "" } };
    expect(mapIdentity({ email: "a@b.c" }, byEmail).username).toBe("a@b.c");
    expect(mapIdentity({ email: "a@b.c", email_verified: true }, byEmail).username).toBe("a@b.c");
    for (const email_verified of [false, "true", null]) {
      expect(() => mapIdentity({ email: "a@b.c", email_verified }, byEmail)).toThrow(
        failure("ERR_TOKEN_CLAIM"),
      );
    }
  });
});
