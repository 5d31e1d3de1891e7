import { once } from "node:events";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTokenSource } from "../../../src/credentials/create-token-source";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object) => `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
const fiveMinutes = jwt({ iat: 1_000, exp: 1_300, nbf: 400 });

describe("GitHub OIDC", () => {
  const asked: { url: string | undefined; authorization: string | undefined }[] = [];
  let answer: { status: number; body: string };
  const server = createServer((request, response) => {
    asked.push({ url: request.url, authorization: request.headers.authorization });
    response.writeHead(answer.status).end(answer.body);
  });
  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const source = () =>
    createTokenSource({
      kind: "github-oidc",
      requestUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2`,
      requestToken: "request-token",
      audience: "cluster-connect/plant-7",
    });

  it("asks for the audience with the request token, and counts a token's life as exp − iat from its receipt", async () => {
    answer = { status: 200, body: JSON.stringify({ value: fiveMinutes }) };
    const before = Date.now();
    const token = await source().fetch();
    expect(token).toMatchObject({ value: fiveMinutes, lifetimeMs: 300_000 });
    expect(token.receivedAtMs).toBeGreaterThanOrEqual(before);
    expect(asked.at(-1)).toEqual({
      url: "/token?api-version=2&audience=cluster-connect%2Fplant-7",
      authorization: "Bearer request-token",
    });
  });

  it.each([
    [403, "", "ERR_OIDC_REQUEST_REFUSED"],
    [400, "", "ERR_OIDC_REQUEST_REFUSED"],
    [503, "", "ERR_OIDC_UNREACHABLE"],
    [429, "", "ERR_OIDC_UNREACHABLE"],
    [200, "<html>", "ERR_OIDC_REQUEST_REFUSED"],
    [200, "{}", "ERR_OIDC_REQUEST_REFUSED"],
  ])("tells a refusal from an outage: %i %s", async (status, body, code) => {
    answer = { status, body };
    await expect(source().fetch()).rejects.toMatchObject({ code });
  });

  it("never shows its request token in its description or errors", async () => {
    answer = { status: 403, body: "request-token" };
    expect(source().description).not.toContain("request-token");
    await expect(source().fetch()).rejects.not.toThrow(/request-token/);
  });
});

describe("a token file", () => {
  const folder = mkdtempSync(join(tmpdir(), "token-"));
  const path = join(folder, "token");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is read anew each time, its token's life counted from when it was written", async () => {
    const source = createTokenSource({ kind: "file", path });
    writeFileSync(path, `${fiveMinutes}\n`);
    utimesSync(path, 1_000, 1_000);
    expect(await source.fetch()).toEqual({
      value: fiveMinutes,
      receivedAtMs: 1_000_000,
      lifetimeMs: 300_000,
    });
    writeFileSync(path, "opaque");
    expect(await source.fetch()).toMatchObject({ value: "opaque", lifetimeMs: undefined });
  });

  it.each([
    ["is missing", undefined],
    ["is empty", " \n"],
    ["holds prose", "please log in"],
    ["is too long", "x".repeat(131_073)],
  ])("that %s is an error that names it", async (_, text) => {
    rmSync(path, { force: true });
    if (text !== undefined) writeFileSync(path, text);
    await expect(createTokenSource({ kind: "file", path }).fetch()).rejects.toMatchObject({
      code: "ERR_TOKEN_FILE_UNREADABLE",
      message: expect.stringContaining(path) as string,
    });
  });
});

describe("a token command", () => {
  const printing = (text: string) =>
    createTokenSource({
      kind: "command",
      command: [process.execPath, "-e", `process.stdout.write(${JSON.stringify(text)})`],
    });

  it.each([
    ["a raw token", `${fiveMinutes}\n`],
    ["an ExecCredential", JSON.stringify({ kind: "ExecCredential", status: { token: fiveMinutes } })],
    ["the JSON of the az CLI", JSON.stringify({ accessToken: fiveMinutes, expiresOn: "x" })],
  ])("may print %s", async (_, text) => {
    expect(await printing(text).fetch()).toMatchObject({ value: fiveMinutes });
  });

  it("that prints no token is an error", async () => {
    await expect(printing("Please run az login").fetch()).rejects.toMatchObject({
      code: "ERR_TOKEN_COMMAND_FAILED",
    });
  });

  it("that fails is an error without its arguments, which may hold a secret", async () => {
    const source = createTokenSource({
      kind: "command",
      command: [process.execPath, "-e", "process.exit(3)//hidden"],
    });
    await expect(source.fetch()).rejects.toMatchObject({
      code: "ERR_TOKEN_COMMAND_FAILED",
      message: expect.not.stringContaining("hidden") as string,
    });
  });

  it("that does not exist is an error", async () => {
    const source = createTokenSource({ kind: "command", command: ["/nonexistent/program"] });
    await expect(source.fetch()).rejects.toThrow(/ENOENT/);
  });
});
