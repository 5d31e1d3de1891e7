import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createTokenSource } from "../../../src/credentials/create-token-source";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object) => `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
const assertion = jwt({
  iss: "https://issuer",
  sub: "sc://octo/app/azure",
  aud: "api://x",
  iat: 0,
  exp: 600,
});

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const asked: Asked[] = [];
let devOps: { status: number; body: string };
let entra: { status: number; body: string };
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    asked.push({ method: request.method, url: request.url, headers: request.headers, body });
    const answer = request.url?.startsWith("/oidctoken") === true ? devOps : entra;
    response.writeHead(answer.status).end(answer.body);
  });
});
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  devOps = { status: 200, body: JSON.stringify({ oidcToken: assertion }) };
  entra = { status: 200, body: JSON.stringify({ access_token: "opaque", expires_in: 3_600 }) };
});
const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const assertionSpec = (serviceConnectionId?: string) => ({
  kind: "azure-devops-oidc" as const,
  requestUri: `${origin()}/oidctoken`,
  accessToken: "access-token",
  ...(serviceConnectionId === undefined ? {} : { serviceConnectionId }),
});
const entraSpec = () => ({
  kind: "entra" as const,
  authority: origin(),
  tenantId: "ten/ant",
  clientId: "client",
  scope: "api://plant-7/.default",
  assertion: assertionSpec("1-2-3"),
});

describe("Azure DevOps OIDC", () => {
  it("asks with the job's access token, for the pipeline or in a service connection's name", async () => {
    const token = await createTokenSource(assertionSpec()).fetch();
    expect(token).toMatchObject({ value: assertion, lifetimeMs: 600_000 });
    await createTokenSource(assertionSpec("1-2-3")).fetch();
    expect(asked.map(({ method, url }) => [method, url])).toEqual([
      ["POST", "/oidctoken?api-version=7.1"],
      ["POST", "/oidctoken?api-version=7.1&serviceConnectionId=1-2-3"],
    ]);
    expect(asked[0]!.headers).toMatchObject({
      authorization: "Bearer access-token",
      "content-type": "application/json",
      "x-tfs-fedauthredirect": "Suppress",
    });
  });

  it.each([
    [401, "", "ERR_OIDC_REQUEST_REFUSED"],
    [203, "<html>sign in", "ERR_OIDC_REQUEST_REFUSED"],
    [302, "", "ERR_OIDC_REQUEST_REFUSED"],
    [500, "", "ERR_OIDC_UNREACHABLE"],
    [429, "", "ERR_OIDC_UNREACHABLE"],
    [200, "{}", "ERR_OIDC_REQUEST_REFUSED"],
  ])("tells a refusal from an outage: %i %s", async (status, body, code) => {
    devOps = { status, body };
    await expect(createTokenSource(assertionSpec()).fetch()).rejects.toMatchObject({ code });
  });

  it("never shows the access token in its description or errors", async () => {
    devOps = { status: 403, body: "access-token" };
    const source = createTokenSource(assertionSpec());
    expect(source.description).not.toContain("access-token");
    await expect(source.fetch()).rejects.not.toThrow(/access-token/);
  });
});

describe("Microsoft Entra", () => {
  it("is shown a fresh assertion for one scope, and its answer says how long the token lives", async () => {
    const token = await createTokenSource(entraSpec()).fetch();
    expect(token).toMatchObject({ value: "opaque", lifetimeMs: 3_600_000 });
    const [, exchange] = asked;
    expect([exchange!.method, exchange!.url]).toEqual(["POST", "/ten%2Fant/oauth2/v2.0/token"]);
    expect(exchange!.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(exchange!.body))).toEqual({
      grant_type: "client_credentials",
      client_id: "client",
      scope: "api://plant-7/.default",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion,
    });
    await createTokenSource(entraSpec()).fetch();
    expect(asked.filter(({ url }) => url?.startsWith("/oidctoken"))).toHaveLength(2);
  });

  it("is quoted when it refuses, with the claims that a federated credential has to have", async () => {
    entra = {
      status: 401,
      body: JSON.stringify({
        error: "invalid_client",
        error_description: "AADSTS700213: No matching federated identity record\r\nTrace ID: 1",
      }),
    };
    const failure = createTokenSource(entraSpec()).fetch();
    await expect(failure).rejects.toMatchObject({ code: "ERR_ENTRA_FEDERATION" });
    await expect(failure).rejects.toThrow(/AADSTS700213: No matching .*subject "sc:\/\/octo\/app\/azure"/);
    await expect(failure).rejects.not.toThrow(/Trace ID|eyJ/);
  });

  it.each([
    [503, "", "ERR_ENTRA_UNREACHABLE"],
    [429, "{}", "ERR_ENTRA_UNREACHABLE"],
    [400, "<html>", "ERR_ENTRA_REFUSED"],
    [200, "{}", "ERR_ENTRA_REFUSED"],
    [200, "null", "ERR_ENTRA_REFUSED"],
  ])("may refuse or be out: %i %s", async (status, body, code) => {
    entra = { status, body };
    await expect(createTokenSource(entraSpec()).fetch()).rejects.toMatchObject({ code });
  });

  it("is not asked when there is no assertion", async () => {
    devOps = { status: 403, body: "" };
    await expect(createTokenSource(entraSpec()).fetch()).rejects.toMatchObject({
      code: "ERR_OIDC_REQUEST_REFUSED",
    });
    expect(asked).toHaveLength(1);
  });

  it("may be where nobody answers", async () => {
    const spec = { ...entraSpec(), authority: "http://127.0.0.1:1" };
    await expect(createTokenSource(spec).fetch()).rejects.toMatchObject({ code: "ERR_ENTRA_UNREACHABLE" });
  });
});
