import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProgram } from "../../../src/cli/program";
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import { explainAdmission, explanationText } from "../../../src/relay/explain";
import { startIssuer, type TestIssuer } from "../../support/issuer";

const origin = "https://relay.example.com";
const secret = "k".repeat(44);

describe("relay explain", () => {
  const folder = mkdtempSync(join(tmpdir(), "explain-"));
  let issuer: TestIssuer;
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  beforeAll(async () => {
    issuer = await startIssuer();
    const key = { name: "ci", keyFile: write("key", secret) };
    const allow = [
      { issuer: "https://other.example.com", claims: { a: "b" } },
      { issuer: issuer.url, claims: { environment: ["staging", "production"] } },
      { issuer: issuer.url, claims: { team: "a" }, expression: 'claims.ref == "refs/heads/main"' },
    ];
    const serviceAccounts = [{ issuer: issuer.url, subject: "system:serviceaccount:cc:agent" }];
    const clusters = [{ name: "plant-7", agents: { serviceAccounts }, clients: { keys: [key], allow } }];
    const issuers = [issuer.url, "https://other.example.com"].map((url) => ({
      issuer: { url, jwks: issuer.jwks() },
    }));
    write(
      "relay.yaml",
      JSON.stringify({ publicUrl: origin, listen: { port: 1 }, trustedProxy: true, issuers, clusters }),
    );
  });
  afterAll(async () => {
    await issuer.close();
    rmSync(folder, { recursive: true });
  });

  const explain = (token: string, more: object = {}) =>
    explainAdmission({
      config: join(folder, "relay.yaml"),
      tokenFile: write("token", `${token}\n`),
      cluster: "plant-7",
      right: "send",
      ...more,
    });
  const mint = (claims: Record<string, unknown>, more: object = {}) =>
    issuer.mint(claims, { audience: origin, ...more });

  it("says of each rule what it makes of the token, and which one admits", async () => {
    const explanation = await explain(await mint({ environment: "dev", team: "a", ref: "refs/heads/main" }));
    expect(explanation).toMatchObject({ admitted: true, rule: "clients.allow[2]" });
    expect(explanationText(explanation).split("\n")).toEqual([
      `${issuer.url} repo:octo/app:environment:production`,
      "clients.allow[0]: it is for issuer https://other.example.com",
      'clients.allow[1]: claim environment is "dev", wanted "staging" or "production"   {"environment":"dev"}',
      'clients.allow[2]: lets it in   {"team":"a","ref":"refs/heads/main"}',
      "admitted by clients.allow[2]",
      "",
    ]);
  });

  it("says why none does", async () => {
    const explanation = await explain(await mint({ team: "a", ref: "refs/heads/x" }));
    expect(explanationText(explanation)).toContain("clients.allow[1]: claim environment is missing, wanted");
    expect(explanationText(explanation)).toContain("clients.allow[2]: its expression is false");
    expect(explanationText(explanation)).toContain("\nrefused: no rule lets it in\n");
    const without = await explain(await mint({ team: "a" }));
    expect(explanationText(without)).toContain("its expression gives nothing: no such key: ref");
  });

  it("says so when the token is none, with what is configured", async () => {
    const text = async (token: string, more?: object) => explanationText(await explain(token, more));
    const elsewhere = await mint({}, { audience: "https://elsewhere.example.com" });
    expect(await text(elsewhere)).toBe(
      `refused: The token is not accepted: the token was issued for somebody else (expected ${origin})\n`,
    );
    expect(await text(await mint({}, { lifetimeSeconds: -5 }))).toContain("the token has expired");
    expect(await text("nonsense")).toContain("the token is not a signed JWT");
    expect(await text(await mint({}), { cluster: "plant-9" })).toBe(
      "refused: no cluster is called plant-9\n",
    );
  });

  it("looks at the right that is asked for", async () => {
    const token = await mint({}, { subject: "system:serviceaccount:cc:agent" });
    expect(await explain(token, { right: "listen" })).toMatchObject({
      admitted: true,
      rule: "agents.serviceAccounts[0]",
    });
    expect(await explain(token)).toMatchObject({ admitted: false });
  });

  it("knows shared access signatures", async () => {
    const sign = (key: string) =>
      createSasToken({ relay: new URL(origin), entity: "plant-7", keyName: "ci", key, lifetimeMs: 60_000 });
    expect(await explain(sign(secret))).toMatchObject({ admitted: true, rule: "clients.keys ci" });
    expect(await explain(sign("x".repeat(44)))).toMatchObject({
      admitted: false,
      refusal: "The token has an invalid signature",
    });
  });

  it("is a command whose exit code is the decision, and which shows no token", async () => {
    const token = await mint({ environment: "staging" });
    write("token", token);
    const written: string[] = [];
    const write_ = jest
      .spyOn(process.stdout, "write")
      .mockImplementation((text) => written.push(String(text)) > 0);
    const args = [
      "relay",
      "explain",
      "--config",
      join(folder, "relay.yaml"),
      "--token-file",
      join(folder, "token"),
    ];
    const before = process.exitCode;
    await createProgram(folder).parseAsync([...args, "--cluster", "plant-7", "--log-format", "json"], {
      from: "user",
    });
    const admitted = process.exitCode;
    await createProgram(folder).parseAsync([...args, "--cluster", "plant-7", "--right", "listen"], {
      from: "user",
    });
    const refused = process.exitCode;
    process.exitCode = before;
    write_.mockRestore();
    expect([admitted, refused]).toEqual([0, 1]);
    expect(JSON.parse(written[0]!)).toMatchObject({ admitted: true, rule: "clients.allow[1]" });
    expect(written.join("")).not.toContain(token.split(".")[2]);
  });
});
