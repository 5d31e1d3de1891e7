import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainToken, explanationText } from "../../../src/auth-proxy/explain";
import { createProgram } from "../../../src/cli/program";
import { startIssuer, type TestIssuer } from "../../support/issuer";

const cluster = "https://kubernetes.default.svc";
const sub = "repo:octo/app:environment:production";

describe("auth-proxy explain", () => {
  const folder = mkdtempSync(join(tmpdir(), "explain-"));
  let issuer: TestIssuer;
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(async () => {
    issuer = await startIssuer();
    const entry = {
      issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"], jwks: issuer.jwks() },
      claimMappings: {
        username: { claim: "sub", prefix: "github:" },
        groups: { claim: "groups", prefix: "github:" },
        extra: [{ key: "example.com/ref", valueExpression: "claims.?ref.orValue('')" }],
      },
      claimValidationRules: [
        {
          expression: "claims.?environment.orValue('production') == 'production'",
          message: "production only",
        },
      ],
    };
    write(
      "auth-proxy.yaml",
      JSON.stringify({
        cluster: "plant-7",
        listen: { host: "127.0.0.1", port: 0 },
        tls: { directory: folder },
        authentication: { jwt: [entry] },
        passThrough: { issuer: cluster },
      }),
    );
  });
  afterAll(async () => {
    await issuer.close();
    rmSync(folder, { recursive: true });
  });
  const config = () => join(folder, "auth-proxy.yaml");
  const explain = (token: string) =>
    explainToken({ config: config(), tokenFile: write("token", `${token}\n`) });

  it("says which entry admits a token, and user, groups and extras that it has here", async () => {
    const exp = 4_000_000_000;
    const claims = {
      groups: ["a", "b"],
      ref: "refs/heads/main",
      repository: "octo/app",
      run_id: "7",
      jti: "j",
      exp,
    };
    const explanation = await explain(await issuer.mint(claims));
    expect(explanation).toMatchObject({ admitted: true, by: "authentication.jwt" });
    expect(explanationText(explanation).split("\n")).toEqual([
      `the token says: ${JSON.stringify({ iss: issuer.url, aud: "cluster-connect/plant-7", sub, exp })}`,
      "admitted by authentication.jwt, as",
      `  user    "github:${sub}"`,
      '  group   "github:a"',
      '  group   "github:b"',
      '  extra   example.com/ref = "refs/heads/main"',
      `  extra   cluster-connect.dev/issuer = "${issuer.url}"`,
      '  extra   cluster-connect.dev/repository = "octo/app"',
      '  extra   cluster-connect.dev/run-id = "7"',
      '  extra   cluster-connect.dev/jti = "j"',
      "until 2096-10-02T07:06:40.000Z",
      "",
    ]);
  });

  it("says that a token of the cluster's own is the apiserver's to judge", async () => {
    const token = await issuer.mint({}, { issuer: cluster, audience: cluster, lifetimeSeconds: null });
    const explanation = await explain(token);
    expect(explanation).toMatchObject({ admitted: true, by: "passThrough" });
    expect(explanation.identity).toBeUndefined();
    expect(explanationText(explanation)).toContain("admitted by passThrough: it goes on as it is");
    expect(explanationText(explanation)).not.toContain("until");
  });

  it.each<[string, string, object, object]>([
    ["ERR_TOKEN_AUDIENCE", "cluster-connect/plant-7", {}, { audience: "elsewhere" }],
    ["ERR_TOKEN_EXPIRED", "", {}, { lifetimeSeconds: -5 }],
    ["ERR_TOKEN_ISSUER_UNKNOWN", "https://stranger.example", {}, { issuer: "https://stranger.example" }],
    ["ERR_TOKEN_RULE", "production only", { environment: "dev" }, {}],
    ["ERR_IDENTITY_TOO_MANY_GROUPS", "201", { groups: Array.from({ length: 201 }, String) }, {}],
  ])("says why it admits none: %s, %s", async (code, detail, claims, mint) => {
    const token = await issuer.mint({ ...claims }, mint);
    const explanation = await explain(token);
    expect(explanation).toMatchObject({ admitted: false, refusal: { code } });
    const text = explanationText(explanation);
    expect(text).toContain(`(${code})\nwhat to do: `);
    expect(text).toContain(detail);
    expect(text).not.toContain(token.split(".")[2]);
  });

  it("says so of what is no token at all", async () => {
    expect(await explain("nonsense")).toMatchObject({
      admitted: false,
      says: {},
      refusal: { code: "ERR_TOKEN_MALFORMED" },
    });
  });

  describe("as a command", () => {
    const written: string[] = [];
    const before = process.exitCode;
    beforeEach(() => {
      written.length = 0;
      jest.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
    });
    afterEach(() => {
      jest.restoreAllMocks();
      process.exitCode = before;
    });
    const run = async (...more: string[]) => {
      const asked = ["explain", "--config", config(), "--token-file", join(folder, "token"), ...more];
      await createProgram(folder).parseAsync(["auth-proxy", ...asked], { from: "user" });
      return { text: written.join(""), code: process.exitCode };
    };

    it("prints it for people, and ends by whether the token was admitted", async () => {
      write("token", await issuer.mint());
      expect(await run()).toEqual({
        text: expect.stringContaining("admitted by authentication.jwt, as\n"),
        code: 0,
      });
      written.length = 0;
      write("token", await issuer.mint({}, { audience: "elsewhere" }));
      expect(await run()).toEqual({ text: expect.stringContaining("\nrefused: "), code: 1 });
    });

    it("prints it for machines", async () => {
      write("token", await issuer.mint());
      const { text } = await run("--log-format", "json");
      expect(JSON.parse(text)).toMatchObject({ admitted: true, identity: { username: `github:${sub}` } });
    });
  });
});
