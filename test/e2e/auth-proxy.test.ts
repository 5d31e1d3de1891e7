import { once } from "node:events";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { startAuthProxyHarness, testSession, type AuthProxyHarness } from "../support/auth-proxy-harness";

const caller = "github:repo:octo/app:environment:production";

async function http2Fetch(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body?: string | Buffer,
) {
  const stream = session.request({ ":path": "/api", ...headers }, { endStream: body === undefined });
  stream.on("error", () => undefined);
  if (body !== undefined) stream.end(body);
  const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: Number(answer[":status"]), headers: answer, body: Buffer.concat(chunks).toString() };
}

describe("auth proxy", () => {
  let harness: AuthProxyHarness;
  let withUid: AuthProxyHarness;
  beforeAll(async () => {
    harness = await startAuthProxyHarness({ forwardHeaders: ["X-App-Token"] });
    withUid = await startAuthProxyHarness({}, { uid: { claim: "uid" } });
  });
  afterAll(async () => {
    expect(harness.apiserver.withoutUser()).toEqual([]);
    await Promise.all([harness.close(), withUid.close()]);
  });
  const last = () => harness.apiserver.requests.at(-1)!;

  it("passes a request on as the caller, with its own credential, and logs who did what", async () => {
    const answer = await harness.fetch({ path: "/api/v1/pods?limit=1&labelSelector=secret" });
    expect(answer.status).toBe(200);
    expect(last().target).toBe("/api/v1/pods?limit=1&labelSelector=secret");
    expect(last().values("impersonate-user")).toEqual([caller]);
    expect(last().values("authorization")).toEqual(["Bearer own-token-1"]);
    expect(last().values("impersonate-extra-cluster-connect.dev%2fsession")).toEqual([testSession]);
    expect(await harness.logged("request", { path: "/api/v1/pods?limit=1&labelSelector=…" })).toMatchObject({
      user: caller,
      method: "GET",
      status: 200,
      protocol: "HTTP/1.1",
      sessionId: testSession,
      streamId: "7",
    });
  });

  it("passes groups one line each, uid, and names beyond ASCII as UTF-8", async () => {
    const token = await withUid.issuer.mint({ sub: "jörg@例.jp", groups: ["a,b", "größe"], uid: "42" });
    await withUid.fetch({ headers: { Authorization: `Bearer ${token}` } });
    const asked = withUid.apiserver.requests.at(-1)!;
    const utf8 = (name: string) =>
      asked.values(name).map((value) => Buffer.from(value, "latin1").toString("utf8"));
    expect(utf8("impersonate-user")).toEqual(["github:jörg@例.jp"]);
    expect(utf8("impersonate-group")).toEqual(["github:a,b", "github:größe"]);
    expect(utf8("impersonate-uid")).toEqual(["42"]);
  });

  it("tells the cluster's audit log by extras which session, issuer and job a request came from", async () => {
    const claims = { repository: "octo/app", run_id: "77", workflow: "Déploy ▶", jti: "j-1" };
    const token = await harness.issuer.mint(claims);
    await harness.fetch({ headers: { Authorization: `Bearer ${token}` } });
    const own = last().headers.flatMap(([name, value]) =>
      name.startsWith("Impersonate-Extra-cluster-connect.dev%2F")
        ? [[name.split("%2F")[1], Buffer.from(value, "latin1").toString("utf8")]]
        : [],
    );
    expect(own).toEqual([
      ["session", testSession],
      ["issuer", harness.issuer.url],
      ["repository", "octo/app"],
      ["run-id", "77"],
      ["workflow", "Déploy ▶"],
      ["jti", "j-1"],
    ]);
  });

  it("speaks HTTP/2 to those who negotiate it", async () => {
    const session = await harness.http2();
    const authorization = await harness.authorization();
    const answer = await http2Fetch(session, { authorization, "user-agent": "kubectl/v1.36.3" });
    expect(answer.status).toBe(200);
    expect(answer.headers["audit-id"]).toBe("test");
    expect(last().values("user-agent")).toEqual(["kubectl/v1.36.3"]);
    expect(last().values("impersonate-user")).toEqual([caller]);
    expect(last().values("impersonate-extra-cluster-connect.dev%2fsession")).toEqual([testSession]);
    const posted = await http2Fetch(session, { authorization, ":method": "POST" }, "x".repeat(300_000));
    expect(posted.status).toBe(200);
    expect(last().values("transfer-encoding")).toEqual(["chunked"]);
    session.close();
  });

  it("keeps repeated headers of an answer apart, over either protocol", async () => {
    harness.apiserver.handle = (_, response) =>
      response.writeHead(200, ["Warning", "299 - one", "Warning", "299 - two", "Content-Length", "0"]).end();
    const authorization = await harness.authorization();
    const plain = await harness.fetch({ headers: { Authorization: authorization } });
    expect(plain.rawHeaders.filter((value) => value.startsWith("299"))).toEqual(["299 - one", "299 - two"]);
    const session = await harness.http2();
    const answer = await http2Fetch(session, { authorization });
    expect(answer.headers.warning).toBe("299 - one, 299 - two");
    session.close();
  });

  it("forwards what means something to the apiserver, and nothing else", async () => {
    harness.apiserver.handle = (_, response) => response.end("{}");
    await harness.fetch({
      method: "PATCH",
      headers: {
        Authorization: await harness.authorization(),
        Accept: "application/json;as=Table",
        "Content-Type": "application/apply-patch+yaml",
        "Kubectl-Command": "kubectl apply",
        "X-App-Token": "app",
        "X-Forwarded-For": "1.2.3.4",
        Forwarded: "for=1.2.3.4",
        Cookie: "a=b",
        "Proxy-Authorization": "Basic AAAA",
        "X-Custom": "1",
      },
      body: "apiVersion: v1",
    });
    const names = last().headers.map(([name]) => name.toLowerCase());
    for (const name of ["accept", "content-type", "kubectl-command", "x-app-token"])
      expect(names).toContain(name);
    for (const name of ["x-forwarded-for", "forwarded", "cookie", "proxy-authorization", "x-custom"]) {
      expect(names).not.toContain(name);
    }
    expect(last().values("host")).toEqual([new URL(harness.apiserver.url).host]);
  });

  it("carries a header of 100 KB over HTTP/1.1 and of 60 KB over HTTP/2", async () => {
    harness.apiserver.handle = (request, response) => response.end(String(request.url?.length));
    const authorization = await harness.authorization();
    const long = (length: number) => `/api/v1/namespaces/a/pods/b/exec?command=${"x".repeat(length)}`;
    const answer = await harness.fetch({ path: long(100_000), headers: { Authorization: authorization } });
    expect(answer.body).toBe(String(long(100_000).length));
    const token = await harness.issuer.mint({
      groups: Array.from({ length: 190 }, (_, i) => `${i}-${"g".repeat(380)}`),
    });
    expect(token.length).toBeGreaterThan(90_000);
    const heavy = await harness.fetch({ headers: { Authorization: `Bearer ${token}` } });
    expect(heavy.status).toBe(200);
    expect(last().values("impersonate-group")).toHaveLength(190);
    const session = await harness.http2();
    const wide = await http2Fetch(session, { authorization, ":path": long(60_000) });
    expect(wide.body).toBe(String(long(60_000).length));
    session.close();
  });

  it("answers a header beyond its bound with 431 and a Status", async () => {
    const answer = await harness.fetch({ path: `/${"x".repeat(600_000)}` });
    expect(answer.status).toBe(431);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", code: 431 });
  });

  it.each([
    ["no token", {}, 401, "ERR_AUTH_PROXY_NO_CREDENTIAL"],
    ["another scheme", { Authorization: "Basic dXNlcjpwYXNz" }, 401, "ERR_AUTH_PROXY_NO_CREDENTIAL"],
    ["an empty token", { Authorization: "Bearer " }, 401, "ERR_AUTH_PROXY_NO_CREDENTIAL"],
    ["no JWT", { Authorization: "Bearer abc" }, 401, "ERR_TOKEN_MALFORMED"],
  ])("answers %s by a Status that clients understand", async (_, headers, status, code) => {
    const before = harness.apiserver.requests.length;
    const answer = await harness.fetch({ headers });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["retry-after"]).toBeUndefined();
    const body = JSON.parse(answer.body) as Record<string, unknown>;
    expect(body).toMatchObject({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "Unauthorized",
      code: 401,
      details: { causes: [{ reason: code }] },
    });
    expect(body.message).toMatch(/^(auth proxy|identity provider): /);
    expect(harness.apiserver.requests).toHaveLength(before);
    await harness.logged("request", { code, status });
  });

  it.each([
    ["a wrong audience", { aud: "https://relay.example.com" }, 401, "ERR_TOKEN_AUDIENCE"],
    ["an expired token", { exp: 1 }, 401, "ERR_TOKEN_EXPIRED"],
    ["an empty user name", { sub: "" }, 401, "ERR_TOKEN_CLAIM"],
    ["no user name", { sub: undefined }, 401, "ERR_TOKEN_CLAIM"],
    ["groups that are no strings", { groups: [1] }, 401, "ERR_TOKEN_CLAIM"],
    [
      "a groups overage",
      {
        _claim_names: { groups: "src1" },
        _claim_sources: { src1: { endpoint: "https://graph.example.com" } },
      },
      403,
      "ERR_IDENTITY_GROUPS_OVERAGE",
    ],
    ["too many groups", { groups: Array.from({ length: 201 }, String) }, 403, "ERR_IDENTITY_TOO_MANY_GROUPS"],
    ["a control character", { sub: "a\nImpersonate-Group: system:masters" }, 403, "ERR_IDENTITY_INVALID"],
  ])("refuses %s and says so", async (_, claims, status, code) => {
    const token = await harness.issuer.mint(claims);
    const answer = await harness.fetch({ headers: { Authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(code);
    expect(answer.body).not.toContain(token);
  });

  it("answers 503 with Retry-After while the issuer's keys cannot be had", async () => {
    const blind = await startAuthProxyHarness();
    try {
      blind.issuer.failing = true;
      const answer = await blind.fetch({});
      expect(answer.status).toBe(503);
      expect(answer.headers["retry-after"]).toBe("1");
    } finally {
      await blind.close();
    }
  });

  it("writes no token into its log", async () => {
    const token = await harness.issuer.mint();
    await harness.fetch({
      path: `/api?access_token=${token}`,
      headers: { Authorization: `Bearer ${token}` },
    });
    await harness.logged("request", { path: "/api?access_token=[redacted]" });
    expect(JSON.stringify(harness.log)).not.toContain(token.split(".")[2]);
    expect(JSON.stringify(harness.log)).not.toContain("own-token");
  });

  it("uses connections to the apiserver again", async () => {
    harness.apiserver.handle = (_, response) => response.end("{}");
    await harness.fetch({});
    const before = harness.apiserver.connections;
    for (let i = 0; i < 5; i += 1) await harness.fetch({});
    expect(harness.apiserver.connections).toBe(before);
  });
});
