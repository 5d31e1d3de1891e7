import { startAuthProxyHarness, type AuthProxyHarness } from "../support/auth-proxy-harness";

const causeOf = (body: string) =>
  (JSON.parse(body) as { details: { causes: [{ reason: string; message: string }] } }).details.causes[0];

describe("auth proxy: what a configuration makes of a caller", () => {
  let mapped: AuthProxyHarness;
  let open: AuthProxyHarness;

  beforeAll(async () => {
    mapped = await startAuthProxyHarness(
      { impersonation: { allowSystemNames: ["system:serviceaccounts:ci"] } },
      {
        username: { expression: '"github:" + claims.repository_id' },
        groups: { expression: "claims.?groups.orValue([])" },
        extra: [{ key: "example.com/ref", valueExpression: "claims.ref" }],
      },
    );
    open = await startAuthProxyHarness({
      authentication: { jwt: [], anonymous: { enabled: true, conditions: [{ path: "/livez" }] } },
    });
  });
  afterAll(async () => {
    await Promise.all([mapped.close(), open.close()]);
  });
  const ask = async (claims: Record<string, unknown>) => {
    const token = await mapped.issuer.mint({ repository_id: "7", ref: "refs/heads/main", ...claims });
    return mapped.fetch({ headers: { Authorization: `Bearer ${token}` } });
  };

  it("passes on what expressions give, extras among it", async () => {
    expect((await ask({ groups: ["a", "system:serviceaccounts:ci"] })).status).toBe(200);
    const asked = mapped.apiserver.requests.at(-1)!;
    expect(asked.values("impersonate-user")).toEqual(["github:7"]);
    expect(asked.values("impersonate-group")).toEqual(["a", "system:serviceaccounts:ci"]);
    expect(asked.values("impersonate-extra-example.com%2fref")).toEqual(["refs/heads/main"]);
  });

  it.each([
    [
      403,
      "ERR_IDENTITY_GROUPS_OVERAGE",
      {
        _claim_names: { groups: "src1" },
        _claim_sources: { src1: { endpoint: "https://graph.example.com" } },
      },
    ],
    [403, "ERR_IDENTITY_RESERVED", { groups: ["system:masters"] }],
    [401, "ERR_TOKEN_EXPRESSION", { repository_id: 7 }],
    [401, "ERR_TOKEN_EXPRESSION", { groups: [1] }],
  ])("answers %s with %s, and asks the apiserver nothing", async (status, code, claims) => {
    const before = mapped.apiserver.requests.length;
    const answer = await ask(claims);
    expect([answer.status, causeOf(answer.body).reason]).toEqual([status, code]);
    expect(mapped.apiserver.requests).toHaveLength(before);
  });

  it("lets a request without credential through on an open path alone, as the anonymous user", async () => {
    const answers = [];
    for (const path of ["/livez", "/livez?verbose", "/api/v1/pods"]) {
      answers.push((await open.fetch({ path, headers: {} })).status);
    }
    expect(answers).toEqual([200, 200, 401]);
    const asked = open.apiserver.requests.filter(({ target }) => target.startsWith("/livez"));
    expect(asked).toHaveLength(2);
    for (const { values } of asked) {
      expect(values("impersonate-user")).toEqual(["system:anonymous"]);
      expect(values("impersonate-group")).toEqual(["system:unauthenticated"]);
    }
    expect(open.apiserver.withoutUser()).toEqual([]);
  });

  it("refuses a bad credential on an open path, too", async () => {
    const answer = await open.fetch({ path: "/livez", headers: { Authorization: "Bearer nonsense" } });
    expect([answer.status, causeOf(answer.body).reason]).toEqual([401, "ERR_TOKEN_MALFORMED"]);
    const basic = await open.fetch({ path: "/livez", headers: { Authorization: "Basic eA==" } });
    expect([basic.status, causeOf(basic.body).reason]).toEqual([401, "ERR_AUTH_PROXY_NO_CREDENTIAL"]);
  });
});
