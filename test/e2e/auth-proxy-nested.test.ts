/** A caller acts as somebody else only if the apiserver would let him, and never by a header that slips through. */
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startAuthProxyHarness, testSession, type AuthProxyHarness } from "../support/auth-proxy-harness";
import { execPath } from "../support/exec-frames";

const reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const caller = "github:repo:octo/app:environment:production";

interface Review {
  readonly user: string;
  readonly groups: string[];
  readonly extra: Record<string, string[]>;
  readonly resourceAttributes?: Record<string, string>;
  readonly nonResourceAttributes?: Record<string, string>;
}

describe.each([
  ["constrained", true],
  ["legacy", false],
])("impersonation by a caller, %s", (_kind, constrained) => {
  let harness: AuthProxyHarness;
  let asked: Review[];
  let answer: (review: Review, response: ServerResponse) => void;
  const decide = (allowed: boolean, more: object = {}) => {
    answer = (_review, response) =>
      response
        .writeHead(201)
        .end(JSON.stringify({ kind: "SubjectAccessReview", status: { allowed, ...more } }));
  };
  beforeAll(async () => {
    harness = await startAuthProxyHarness({ impersonation: { nested: true, constrained } });
    const plain = harness.apiserver.handle;
    harness.apiserver.handle = (request, response) => {
      if (request.url !== reviews) return plain(request, response);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: Review };
        asked.push(spec);
        answer(spec, response);
      });
    };
  });
  beforeEach(() => {
    asked = [];
    decide(true);
  });
  afterAll(async () => {
    // The invariant. A review runs nothing, and carries nothing of the caller's in its headers.
    for (const request of harness.apiserver.withoutUser()) {
      expect([request.method, request.target]).toEqual(["POST", reviews]);
      expect(request.headers.map(([name]) => name).filter((name) => /^imperson/i.test(name))).toEqual([]);
    }
    await harness.close();
  });
  const forwarded = () =>
    harness.apiserver.requests.filter(({ target }) => !/^\/(apis|version)/.test(target));
  const last = () => forwarded().at(-1)!;
  const extra = (name: string) => last().values(`impersonate-extra-cluster-connect.dev%2f${name}`);
  const send = async (headers: string[], path = "/api/v1/namespaces/shop/pods", claims = {}) => {
    const token = await harness.issuer.mint({ groups: ["all"], ...claims });
    return harness.fetch({ path, headers: ["Host", "a", "Authorization", `Bearer ${token}`, ...headers] });
  };
  const everything = [
    ...["Impersonate-User", "alice", "impersonate-group", "g1", "Impersonate-Group", "g2"],
    ...["Impersonate-Uid", "7", "Impersonate-Extra-example.com%2Fteam", "edge"],
  ];

  it("runs the request as whom the caller names, and tells who he is", async () => {
    expect((await send(everything)).status).toBe(200);
    expect(last().values("impersonate-user")).toEqual(["alice"]);
    expect(last().values("impersonate-group")).toEqual(["g1", "g2"]);
    expect(last().values("impersonate-uid")).toEqual(["7"]);
    expect(last().values("impersonate-extra-example.com%2fteam")).toEqual(["edge"]);
    expect(extra("original-user")).toEqual([caller]);
    expect(extra("original-groups")).toEqual(["github:all"]);
    expect(extra("session")).toEqual([testSession]);
    expect(extra("issuer")).toEqual([harness.issuer.url]);
    expect(last().values("authorization")).toEqual(["Bearer own-token-1"]);
    expect(await harness.logged("request", { as: "alice" })).toMatchObject({ user: caller, status: 200 });
  });

  it("asks for each right of the caller, not of the proxy, and nothing in his name", async () => {
    await send(everything);
    const parts = constrained
      ? [
          "impersonate-on:user-info:list /pods//shop",
          "impersonate:user-info authentication.k8s.io/users/alice/",
          "impersonate:user-info authentication.k8s.io/uids/7/",
          "impersonate:user-info authentication.k8s.io/groups/g1/",
          "impersonate:user-info authentication.k8s.io/groups/g2/",
          "impersonate:user-info authentication.k8s.io/userextras/edge/",
        ]
      : [
          "impersonate /users/alice/",
          "impersonate authentication.k8s.io/uids/7/",
          "impersonate /groups/g1/",
          "impersonate /groups/g2/",
          "impersonate authentication.k8s.io/userextras/edge/",
        ];
    const words = asked.map(({ resourceAttributes: { verb, group, resource, name, namespace } = {} }) =>
      [verb, [group, resource, name, namespace].join("/")].join(" "),
    );
    expect(words.sort()).toEqual(parts.sort());
    for (const { user, groups, extra: extras } of asked) {
      expect(user).toBe(caller);
      expect(groups).toEqual(["github:all", "system:authenticated"]);
      expect(extras["cluster-connect.dev/session"]).toEqual([testSession]);
    }
  });

  it("does so over HTTP/2, and for an upgrade", async () => {
    const session = await harness.http2();
    const stream = session.request({
      ":path": "/api/v1/pods?watch=1",
      authorization: await harness.authorization(),
      "impersonate-user": "alice",
    });
    stream.resume();
    const [head] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(head[":status"]).toBe(200);
    expect(last().values("impersonate-user")).toEqual(["alice"]);
    session.close();
    const upgrade = harness.request({
      path: execPath,
      method: "POST",
      headers: {
        Authorization: await harness.authorization(),
        "Impersonate-User": "bob",
        Connection: "Upgrade",
        Upgrade: "SPDY/3.1",
      },
    });
    upgrade.end();
    const [refused] = (await once(upgrade, "response")) as [IncomingMessage];
    refused.resume();
    expect(refused.statusCode).toBe(403);
    expect(last().target).toBe(execPath);
    expect(last().values("impersonate-user")).toEqual(["bob"]);
  });

  it("refuses with the reason, and nothing goes on", async () => {
    const before = forwarded().length;
    decide(false, { reason: "no such role" });
    const refused = await send(["Impersonate-User", "alice"]);
    expect(refused.status).toBe(403);
    const { message, reason } = JSON.parse(refused.body) as Record<string, string>;
    expect(reason).toBe("Forbidden");
    expect(message).toContain(`${JSON.stringify(caller)} cannot impersonate`);
    expect(message).toContain("no such role");
    expect(message).toContain("ERR_AUTH_PROXY_IMPERSONATION_DENIED");
    expect(forwarded()).toHaveLength(before);
    expect(await harness.logged("request", { code: "ERR_AUTH_PROXY_IMPERSONATION_DENIED" })).toMatchObject({
      user: caller,
    });
  });

  it.each<[string, number, string]>([
    ["no yes", 201, '{"status":{}}'],
    ["a yes that is no boolean", 201, '{"status":{"allowed":"true"}}'],
    ["a yes that is denied", 201, '{"status":{"allowed":true,"denied":true}}'],
    ["no JSON", 201, "yes"],
    ["a yes under another status", 200, '{"status":{"allowed":true}}'],
    ["that the proxy may not ask", 403, '{"kind":"Status","status":"Failure"}'],
    ["that its own credential is not good", 401, "{}"],
  ])("takes nothing for a yes but a yes: not %s", async (_, status, body) => {
    const before = forwarded().length;
    answer = (_review, response) => response.writeHead(status).end(body);
    const refused = await send(["Impersonate-User", "alice"]);
    expect([403, 503]).toContain(refused.status);
    expect(refused.headers["retry-after"]).toBeUndefined();
    expect(forwarded()).toHaveLength(before);
  });

  it.each<[string, string[], number, string]>([
    ["a part of the cluster", ["Impersonate-User", "system:admin"], 403, "ERR_IDENTITY_RESERVED"],
    [
      "the masters",
      ["Impersonate-User", "a", "Impersonate-Group", "system:masters"],
      403,
      "ERR_IDENTITY_RESERVED",
    ],
    [
      "a forged session",
      ["Impersonate-User", "a", "Impersonate-Extra-cluster-connect.dev%2Fsession", "x"],
      403,
      "ERR_IDENTITY_RESERVED",
    ],
    [
      "a forged original user",
      ["Impersonate-User", "a", "Impersonate-Extra-Cluster-Connect.dev%2foriginal-user", "x"],
      403,
      "ERR_IDENTITY_RESERVED",
    ],
    [
      "two users",
      ["Impersonate-User", "a", "impersonate-user", "b"],
      400,
      "ERR_AUTH_PROXY_MALFORMED_REQUEST",
    ],
    ["an empty user", ["Impersonate-User", ""], 400, "ERR_AUTH_PROXY_MALFORMED_REQUEST"],
    ["a group alone", ["Impersonate-Group", "g"], 400, "ERR_AUTH_PROXY_MALFORMED_REQUEST"],
    ["an invented header", ["Impersonate-User", "a", "Impersonate-Future", "x"], 400, "Impersonate-Future"],
    ["an underscored header", ["Impersonate_User", "a"], 400, "ERR_AUTH_PROXY_MALFORMED_REQUEST"],
    [
      "a bare extra",
      ["Impersonate-User", "a", "Impersonate-Extra-", "x"],
      400,
      "ERR_AUTH_PROXY_MALFORMED_REQUEST",
    ],
    [
      "a header that Connection nominates",
      ["Impersonate-User", "a", "Connection", "close, Impersonate-User"],
      400,
      "ERR_AUTH_PROXY_MALFORMED_REQUEST",
    ],
  ])("refuses %s without asking", async (_, headers, status, code) => {
    const before = forwarded().length;
    const refused = await send(headers);
    expect(refused.status).toBe(status);
    expect(refused.body).toContain(code);
    expect(asked).toEqual([]);
    expect(forwarded()).toHaveLength(before);
  });

  it("asks nothing where nobody is to be impersonated", async () => {
    expect((await send([])).status).toBe(200);
    expect(asked).toEqual([]);
    expect(last().values("impersonate-user")).toEqual([caller]);
    expect(extra("original-user")).toEqual([]);
  });
});

describe("impersonation by a caller", () => {
  it("is refused where it was not enabled", async () => {
    const harness = await startAuthProxyHarness();
    try {
      const refused = await harness.fetch({
        headers: { Authorization: await harness.authorization(), "Impersonate-User": "alice" },
      });
      expect(refused.status).toBe(403);
      expect(refused.body).toContain("ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED");
    } finally {
      await harness.close();
    }
  });

  it("is bounded in the questions that one request may cause", async () => {
    const harness = await startAuthProxyHarness({
      impersonation: { nested: true },
      limits: { reviewsARequest: 3 },
    });
    try {
      const groups = ["a", "b", "c"].flatMap((group) => ["Impersonate-Group", group]);
      const refused = await harness.fetch({
        headers: [
          "Host",
          "a",
          "Authorization",
          await harness.authorization(),
          "Impersonate-User",
          "x",
          ...groups,
        ],
      });
      expect(refused.status).toBe(403);
      expect(refused.body).toContain("4 reviews, at most 3");
      expect(harness.apiserver.requests.filter(({ target }) => target === reviews)).toEqual([]);
    } finally {
      await harness.close();
    }
  });

  it("is told to come back while the apiserver is away", async () => {
    const harness = await startAuthProxyHarness({ impersonation: { nested: true } });
    try {
      await harness.apiserver.kill();
      const refused = await harness.fetch({
        headers: { Authorization: await harness.authorization(), "Impersonate-User": "alice" },
      });
      expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "1"]);
    } finally {
      await harness.close();
    }
  });
});
