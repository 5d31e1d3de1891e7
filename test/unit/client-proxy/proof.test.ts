import type { IncomingMessage, ServerResponse } from "node:http";
import { explainClusterRefusal } from "../../../src/client-proxy/cluster-refusal";
import { proveConnection, type ProofOptions } from "../../../src/client-proxy/proof";
import type { ErrorCode } from "../../../src/runtime/errors";
import { createTestCertificate } from "../../support/certificate";
import { startRecordingApiserver, type RecordingApiserver } from "../../support/recording-apiserver";

const token = `e30.${Buffer.from('{"aud":"elsewhere"}').toString("base64url")}.c2ln`;
const paths = {
  review: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
  rules: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
  version: "/version",
};
type Answers = Record<string, readonly [status: number, body: unknown]>;
const good: Answers = {
  [paths.review]: [201, { status: { userInfo: { username: "github:octo", groups: ["a"] } } }],
  [paths.version]: [200, { gitVersion: "v1.36.3" }],
  [paths.rules]: [201, { status: { resourceRules: [{ apiGroups: ["apps"] }] } }],
};

describe("the proof of a connection", () => {
  let server: RecordingApiserver;
  beforeAll(async () => {
    server = await startRecordingApiserver();
  });
  afterAll(() => server.close());

  const prove = (changes: Answers = {}, options: Partial<ProofOptions> = {}) => {
    const answers = { ...good, ...changes };
    server.handle = (request: IncomingMessage, response: ServerResponse) => {
      const [status, body] = answers[request.url ?? ""] ?? [404, ""];
      response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
    };
    return proveConnection({
      server: server.url,
      tlsServerName: "kubernetes.default.svc",
      caBundle: server.caPem,
      credential: { authorization: `Bearer ${token}` },
      explainRefusal: (refusal) => explainClusterRefusal(refusal, token),
      namespace: "apps",
      signal: new AbortController().signal,
      ...options,
    });
  };
  const status = (code: number, causes: string[], message = "") =>
    [code, { kind: "Status", message, details: { causes: causes.map((reason) => ({ reason })) } }] as const;

  it("is who the cluster says the caller is, its version, and whether it grants anything", async () => {
    await expect(prove()).resolves.toEqual({
      identity: "github:octo",
      groups: ["a"],
      serverVersion: "v1.36.3",
      hasRights: true,
    });
    const [review] = server.requests;
    expect(review).toMatchObject({ method: "POST", target: paths.review });
    expect(review!.values("authorization")).toEqual([`Bearer ${token}`]);
  });

  it.each([
    ["what every authenticated user has", [{ apiGroups: ["authorization.k8s.io"] }], false, false],
    ["nothing", [], false, false],
    ["a rule of the core group", [{ apiGroups: [""] }], false, true],
    ["rules that are not all known", [], true, true],
  ])("sees %s as rights or none", async (_, resourceRules, incomplete, hasRights) => {
    const rules = [201, { status: { resourceRules, incomplete } }] as const;
    await expect(prove({ [paths.rules]: rules })).resolves.toMatchObject({ hasRights });
  });

  it("does not fail for a version that may not be read, nor claim that there are no rights unseen", async () => {
    const proof = await prove({ [paths.version]: [403, ""], [paths.rules]: [403, ""] });
    expect(proof).toMatchObject({ serverVersion: "unknown", hasRights: true });
  });

  it.each<[string, readonly [number, unknown], ErrorCode]>([
    ["401", [401, ""], "ERR_CLUSTER_TOKEN_REFUSED"],
    ["401 for the audience", status(401, ["ERR_TOKEN_AUDIENCE"]), "ERR_CLUSTER_TOKEN_AUDIENCE"],
    ["401 for the expiry", status(401, ["ERR_TOKEN_EXPIRED"]), "ERR_CLUSTER_TOKEN_REFUSED"],
    ["403", status(403, ["ERR_IDENTITY_RESERVED"]), "ERR_CLUSTER_IDENTITY_REFUSED"],
    ["503 of a hop that names itself", status(503, ["ERR_AGENT_NOT_CONNECTED"]), "ERR_AGENT_NOT_CONNECTED"],
    ["503 with a foreign cause", status(503, ["Other"]), "ERR_APISERVER_UNREACHABLE"],
    ["500 without a body", [500, ""], "ERR_APISERVER_UNREACHABLE"],
    ["429", [429, ""], "ERR_APISERVER_UNREACHABLE"],
    ["404", [404, ""], "ERR_CLUSTER_ANSWER"],
    ["200, which no create is answered with", [200, {}], "ERR_CLUSTER_ANSWER"],
    ["201 without a user", [201, { status: {} }], "ERR_CLUSTER_ANSWER"],
    ["201 with an empty user", [201, { status: { userInfo: { username: "" } } }], "ERR_CLUSTER_ANSWER"],
    ["201 that is not JSON", [201, "<html>"], "ERR_CLUSTER_ANSWER"],
  ])("fails by %s with the hop's code", async (_, answer, code) => {
    await expect(prove({ [paths.review]: answer })).rejects.toMatchObject({ code });
  });

  it("tells the audience that was sent beside what the auth proxy says", async () => {
    const answer = status(401, ["ERR_TOKEN_AUDIENCE"], "expected cluster-connect/plant-7");
    await expect(prove({ [paths.review]: answer })).rejects.toMatchObject({
      hop: "auth proxy",
      detail: `the token's audience is "elsewhere"; status 401 expected cluster-connect/plant-7`,
    });
  });

  it("believes no certificate of another CA or name", async () => {
    const { caPem } = await createTestCertificate();
    const untrusted = { code: "ERR_CLUSTER_UNTRUSTED" };
    await expect(prove({}, { caBundle: caPem })).rejects.toMatchObject(untrusted);
    await expect(prove({}, { tlsServerName: "other" })).rejects.toMatchObject(untrusted);
  });

  it("names the auth proxy when nobody answers", async () => {
    const server = "https://127.0.0.1:1";
    await expect(prove({}, { server })).rejects.toMatchObject({ code: "ERR_AUTH_PROXY_UNREACHABLE" });
  });
});
