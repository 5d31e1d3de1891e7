import {
  originalExtraKeys,
  requestExtraKeys,
  withOriginal,
  withRequestExtras,
  type RequestFacts,
} from "../../../src/auth-proxy/request-extras";
import type { Identity } from "../../../src/identity/identity";

const identity: Identity = { username: "ci:a", groups: [], extra: { "example.com/team": ["edge"] } };
const extrasOf = (facts: Partial<RequestFacts>, maxBytes = 4_096) =>
  withRequestExtras(
    identity,
    { sessionId: undefined, issuer: "https://issuer.example", claims: {}, ...facts },
    maxBytes,
  ).extra;
const own = (name: string) => `cluster-connect.dev/${name}`;

describe("a request's extras", () => {
  it("say which session, issuer and GitHub job it came from, beside what was mapped", () => {
    const claims = { repository: "octo/app", run_id: "77", workflow: "Deploy", jti: "j-1", ref: "x" };
    expect(extrasOf({ sessionId: "s-1", claims })).toEqual({
      "example.com/team": ["edge"],
      [own("session")]: ["s-1"],
      [own("issuer")]: ["https://issuer.example"],
      [own("repository")]: ["octo/app"],
      [own("run-id")]: ["77"],
      [own("workflow")]: ["Deploy"],
      [own("jti")]: ["j-1"],
    });
  });

  it.each([
    [
      "Azure Pipelines",
      { rpo_uri: "https://dev.azure.com/o/p/_git/r", run_id: 12, def_id: 4 },
      ["https://dev.azure.com/o/p/_git/r", "12", "4"],
    ],
    [
      "GitLab CI",
      { project_path: "g/p", pipeline_id: "9", ci_config_ref_uri: "gitlab.example/g/p//.gitlab-ci.yml@main" },
      ["g/p", "9", "gitlab.example/g/p//.gitlab-ci.yml@main"],
    ],
  ])("read the claims of %s", (_, claims, expected) => {
    const extras = extrasOf({ claims });
    expect(["repository", "run-id", "workflow"].map((name) => extras[own(name)]?.[0])).toEqual(expected);
  });

  it("leave out what a token does not say in words or whole numbers", () => {
    const claims = { repository: "", run_id: null, workflow: { name: "x" }, jti: " " };
    expect(Object.keys(extrasOf({ claims }))).toEqual(["example.com/team", own("issuer")]);
    expect(extrasOf({ claims: { run_id: 1.5 } })[own("run-id")]).toBeUndefined();
  });

  it("show what cannot stand in a header as a mark, and cut what is too long", () => {
    const workflow = " a\r\nImpersonate-Group: x\u0000\ud800 ";
    expect(extrasOf({ claims: { workflow } })[own("workflow")]).toEqual([
      "a\ufffd\ufffdImpersonate-Group: x\ufffd\ufffd",
    ]);
    expect(extrasOf({ issuer: "i", claims: { workflow: "ü".repeat(9) } }, 8)[own("workflow")]).toEqual([
      "üü…",
    ]);
    expect(extrasOf({ issuer: "i", claims: { workflow: "12345678" } }, 8)[own("workflow")]).toEqual([
      "12345678",
    ]);
  });

  it("are refused when a mapping has written to one of their keys", () => {
    for (const key of requestExtraKeys) {
      const mapped = { ...identity, extra: { [key]: ["forged"] } };
      expect(() => withRequestExtras(mapped, { sessionId: "s", issuer: "i", claims: {} }, 99)).toThrow(
        expect.objectContaining({ code: "ERR_IDENTITY_RESERVED" }),
      );
    }
  });

  it("tell of a caller who acts as somebody else all that he is", () => {
    const caller = { ...identity, username: "ci:a", groups: ["g", "", "h"], uid: "7" };
    expect(
      withOriginal({ username: "alice", groups: [], extra: { "example.com/x": ["1"] } }, caller, 99),
    ).toEqual({
      username: "alice",
      groups: [],
      extra: {
        "example.com/x": ["1"],
        [own("original-user")]: ["ci:a"],
        [own("original-uid")]: ["7"],
        [own("original-groups")]: ["g", "h"],
        [own("original-extra")]: ['{"example.com/team":["edge"]}'],
      },
    });
    const plain = withOriginal({ ...identity, extra: {} }, { username: "ci:b", groups: [], extra: {} }, 99);
    expect(plain.extra).toEqual({ [own("original-user")]: ["ci:b"] });
    expect(originalExtraKeys).toEqual(
      ["user", "uid", "groups", "extra"].map((part) => own(`original-${part}`)),
    );
  });

  it("have keys that constrained impersonation takes", () => {
    for (const key of [...requestExtraKeys, ...originalExtraKeys])
      expect(key).toMatch(/^[a-z.-]+\.[a-z]+\/[a-z-]+$/);
  });
});
