import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import type { Right } from "../../../src/relay/admission";
import { AdmissionPolicy } from "../../../src/relay/admission-policy";
import { Refusal } from "../../../src/relay/refusal";
import { relaySettings, type RelaySettings } from "../../../src/relay/settings";
import { silentLogger } from "../../../src/runtime/logger";
import { startIssuer, type MintOptions, type TestIssuer } from "../../support/issuer";

const keys = { agent: "a".repeat(44), client: "c".repeat(44), spare: "s".repeat(44), other: "o".repeat(44) };
const origin = "https://relay.example.com:8443";

describe("admission", () => {
  const folder = mkdtempSync(join(tmpdir(), "admission-"));
  let issuer: TestIssuer;
  let settings: RelaySettings;
  let policy: AdmissionPolicy;

  const file = (name: keyof typeof keys) => {
    writeFileSync(join(folder, name), `${keys[name]}\n`);
    return join(folder, name);
  };
  const settingsWith = (changes: object = {}, issuerChanges: object = {}) =>
    relaySettings.parse({
      publicUrl: origin,
      listen: { host: "127.0.0.1", port: 0 },
      issuers: [{ issuer: { url: issuer.url, jwks: issuer.jwks(), ...issuerChanges } }],
      clusters: [
        {
          name: "plant-7",
          agents: {
            keys: [{ name: "agent", keyFile: file("agent") }],
            serviceAccounts: [{ issuer: issuer.url, subject: "system:serviceaccount:cc:agent" }],
          },
          clients: {
            keys: [
              { name: "ci", keyFile: file("client") },
              { name: "ci", keyFile: file("spare") },
            ],
            allow: [
              {
                issuer: issuer.url,
                claims: { repository_id: "123", environment: ["staging", "production"] },
              },
              { issuer: issuer.url, claims: { admin: true } },
            ],
          },
        },
        {
          name: "emea/plant-8",
          agents: { keys: [{ name: "agent", keyFile: file("other") }] },
          clients: { keys: [{ name: "ci", keyFile: file("other") }] },
        },
      ],
      ...changes,
    });
  beforeAll(async () => {
    issuer = await startIssuer();
    settings = settingsWith();
    policy = new AdmissionPolicy(settings, silentLogger);
  });
  afterAll(async () => {
    policy.close();
    await issuer.close();
    rmSync(folder, { recursive: true });
  });

  const admit = (right: Right, authorization: string | undefined, path = "plant-7") =>
    policy.admit(
      right,
      settings.clusters.find(({ name }) => path.startsWith(name))!,
      path,
      authorization,
    );
  const refusalOf = async (attempt: Promise<unknown>): Promise<Refusal> => {
    const outcome: unknown = await attempt.catch((error: unknown) => error);
    if (outcome instanceof Refusal) return outcome;
    throw new Error(`let in: ${JSON.stringify(outcome)}`);
  };

  describe("by token", () => {
    const mint = (claims: object, options: MintOptions = {}) =>
      issuer.mint({ ...claims }, { audience: origin, ...options });
    const good = { repository_id: "123", environment: "production" };

    it("lets in whose every named claim is what a rule says, and tells by which", async () => {
      const admission = await admit("send", await mint(good));
      expect(admission).toMatchObject({ right: "send", claims: good });
      expect(admission.who).toBe(`${issuer.url} repo:octo/app:environment:production`);
    });

    it("lets in by an expression, alone or beside claims, and tells which rule it was", async () => {
      const allow = [
        {
          issuer: issuer.url,
          claims: { environment: "production" },
          expression: 'claims.ref.startsWith("refs/tags/")',
        },
        {
          issuer: issuer.url,
          expression: 'claims.?job_workflow_ref.orValue("").matches("^octo/ci/.+@refs/heads/main$")',
        },
      ];
      const own = new AdmissionPolicy(
        settingsWith({ clusters: [{ ...settings.clusters[0], clients: { allow } }] }),
        silentLogger,
      );
      const attempt = async (claims: object) =>
        own.admit("send", settings.clusters[0]!, "plant-7", await mint(claims));
      const tagged = { environment: "production", ref: "refs/tags/v1" };
      expect(await attempt({ ...tagged, other: 1 })).toMatchObject({
        rule: "clients.allow[0]",
        claims: tagged,
      });
      const byWorkflow = { job_workflow_ref: "octo/ci/x.yml@refs/heads/main" };
      expect(await attempt(byWorkflow)).toMatchObject({ rule: "clients.allow[1]", claims: byWorkflow });
      for (const claims of [
        { environment: "production", ref: "refs/heads/main" },
        { environment: "staging", ref: "refs/tags/v1" },
        { environment: "production" },
        { environment: "production", ref: 7 },
        { job_workflow_ref: "octo/ci/x.yml@refs/heads/main2" },
      ]) {
        const refusal = await refusalOf(attempt(claims));
        expect(refusal).toMatchObject({ status: 403, reason: "no_rule", details: { claims } });
      }
      own.close();
    });

    it("stops an expression that takes too many steps, and lets nobody in by it", async () => {
      const expression = "dyn(claims.list).exists(x, dyn(claims.list).exists(y, x == y + 1)) || true";
      const cluster = { ...settings.clusters[0], clients: { allow: [{ issuer: issuer.url, expression }] } };
      const tokenLimits = { maxExpressionCost: 1_000 };
      const own = new AdmissionPolicy(settingsWith({ clusters: [cluster], tokenLimits }), silentLogger);
      const list = Array.from({ length: 200 }, () => "x");
      const attempt = own.admit("send", settings.clusters[0]!, "plant-7", await mint({ list }));
      expect(await refusalOf(attempt)).toMatchObject({ reason: "no_rule" });
      own.close();
    });

    it("takes the scheme word Bearer as nothing", async () => {
      await expect(admit("send", `Bearer ${await mint(good)}`)).resolves.toBeDefined();
    });

    it.each<[string, object]>([
      ["of another value", { ...good, environment: "production2" }],
      ["of another case", { ...good, environment: "Production" }],
      ["of another kind", { ...good, repository_id: 123 }],
      ["missing", { repository_id: "123" }],
      ["a list that holds the value", { ...good, environment: ["production"] }],
      ["none at all", {}],
      ["a text instead of a truth", { admin: "true" }],
    ])("refuses a claim that is %s with 403", async (_, claims) => {
      const refusal = await refusalOf(admit("send", await mint(claims)));
      expect(refusal).toMatchObject({ status: 403, reason: "no_rule" });
      expect(refusal.code).toBeUndefined();
    });

    it("shows an operator the claims that rules look at, and no others", async () => {
      const refusal = await refusalOf(admit("send", await mint({ repository_id: "9", actor: "x" })));
      expect(refusal.details).toEqual({ who: expect.any(String) as string, claims: { repository_id: "9" } });
    });

    it("lets a named service account listen, and nobody else", async () => {
      const subject = "system:serviceaccount:cc:agent";
      await expect(admit("listen", await mint({}, { subject }))).resolves.toMatchObject({
        claims: { sub: subject },
      });
      expect(await refusalOf(admit("listen", await mint(good)))).toMatchObject({ reason: "no_rule" });
      expect(await refusalOf(admit("send", await mint({}, { subject })))).toMatchObject({
        reason: "no_rule",
      });
    });

    it("denies at a cluster that has no rule", async () => {
      const refusal = await refusalOf(admit("send", await mint(good), "emea/plant-8"));
      expect(refusal).toMatchObject({ status: 403, reason: "no_rule" });
    });

    it("tells a wrong audience by its code, and not which one is configured", async () => {
      const own = new AdmissionPolicy(settingsWith({ audience: "inner-name" }), silentLogger);
      const attempt = own.admit("send", settings.clusters[0]!, "plant-7", await mint(good));
      const refusal = await refusalOf(attempt);
      own.close();
      expect(refusal).toMatchObject({
        status: 401,
        code: "ERR_TOKEN_AUDIENCE",
        reason: "err_token_audience",
        sentence: "The token is not accepted: the token was issued for somebody else",
        details: { detail: "expected inner-name" },
      });
    });

    it("has an issuer's own audiences before the relay's", async () => {
      const own = new AdmissionPolicy(settingsWith({}, { audiences: ["for-this-issuer"] }), silentLogger);
      const [cluster] = settings.clusters;
      await expect(
        own.admit("send", cluster!, "plant-7", await mint(good, { audience: "for-this-issuer" })),
      ).resolves.toBeDefined();
      expect(await refusalOf(own.admit("send", cluster!, "plant-7", await mint(good)))).toMatchObject({
        code: "ERR_TOKEN_AUDIENCE",
      });
      own.close();
    });

    it.each<[string, MintOptions, string]>([
      ["expired", { lifetimeSeconds: -1 }, "ERR_TOKEN_EXPIRED"],
      [
        "of an issuer that is not configured",
        { issuer: "https://evil.example.com" },
        "ERR_TOKEN_ISSUER_UNKNOWN",
      ],
      ["without an end", { lifetimeSeconds: null }, "ERR_TOKEN_CLAIM"],
    ])("refuses one that is %s with 401", async (_, options, code) => {
      expect(await refusalOf(admit("send", await mint(good, options)))).toMatchObject({ status: 401, code });
    });

    it.each([
      ["nothing", undefined, "no_token"],
      ["an empty header", "", "no_token"],
      ["something that is no token", "Basic eDp5", "err_token_malformed"],
    ])("refuses %s with 401", async (_, authorization, reason) => {
      expect(await refusalOf(admit("send", authorization))).toMatchObject({ status: 401, reason });
    });

    it("discovers an issuer's keys, and says 503 while it cannot", async () => {
      const found = settingsWith({ issuers: [{ issuer: { url: issuer.url } }] });
      const own = new AdmissionPolicy(found, silentLogger);
      issuer.failing = true;
      const attempt = async () => own.admit("send", found.clusters[0]!, "plant-7", await mint(good));
      expect(await refusalOf(attempt())).toMatchObject({ status: 503, reason: "issuer_unavailable" });
      own.close();
      issuer.failing = false;
      const later = new AdmissionPolicy(found, silentLogger);
      await expect(
        later.admit("send", found.clusters[0]!, "plant-7", await mint(good)),
      ).resolves.toBeDefined();
      later.close();
    });
  });

  describe("by signature", () => {
    const sign = (keyName: string, key: string, { entity = "plant-7", lifetimeMs = 60_000 } = {}) =>
      createSasToken({ relay: new URL(origin), entity, keyName, key, lifetimeMs });

    it("is by a key of that name, that right and that cluster", async () => {
      await expect(admit("send", sign("ci", keys.client))).resolves.toMatchObject({
        who: "key ci",
        right: "send",
        claims: {},
      });
      await expect(admit("listen", sign("agent", keys.agent))).resolves.toMatchObject({ right: "listen" });
    });

    it("is by either key of a name while one is being replaced", async () => {
      await expect(admit("send", sign("ci", keys.spare))).resolves.toBeDefined();
    });

    it.each<[string, Right, () => string, number, string]>([
      ["with another key", "send", () => sign("ci", keys.other), 401, "token_signature"],
      ["with an unknown name", "send", () => sign("cj", keys.client), 401, "token_signature"],
      ["with the other right's key", "send", () => sign("agent", keys.agent), 403, "right_missing"],
      ["with the sender's key, to listen", "listen", () => sign("ci", keys.client), 403, "right_missing"],
      ["that has ended", "send", () => sign("ci", keys.client, { lifetimeMs: -2_000 }), 401, "token_expired"],
      ["that cannot be read", "send", () => "SharedAccessSignature sr=x", 401, "token_malformed"],
    ])("refuses one %s", async (_, right, authorization, status, reason) => {
      expect(await refusalOf(admit(right, authorization()))).toMatchObject({ status, reason });
    });

    it("refuses one for another entity or host as one for another audience", async () => {
      const elsewhere = createHmac("sha256", keys.client).update("http%3a%2f%2fevil%2fplant-7\n9999999999");
      const sig = encodeURIComponent(elsewhere.digest("base64"));
      for (const authorization of [
        sign("ci", keys.client, { entity: "other" }),
        `SharedAccessSignature sr=http%3a%2f%2fevil%2fplant-7&sig=${sig}&se=9999999999&skn=ci`,
      ]) {
        expect(await refusalOf(admit("send", authorization))).toMatchObject({
          status: 403,
          reason: "token_audience",
          code: "ERR_TOKEN_AUDIENCE",
        });
      }
    });

    it("covers a suffix of the path", async () => {
      await expect(admit("send", sign("ci", keys.client), "plant-7/v2")).resolves.toBeDefined();
      const withSuffix = sign("ci", keys.client, { entity: "plant-7/v2" });
      await expect(admit("send", withSuffix, "plant-7/v2/x")).resolves.toBeDefined();
      expect(await refusalOf(admit("send", withSuffix, "plant-7"))).toMatchObject({ status: 403 });
    });

    it("has no key that is too short to be one, and none that cannot be read", () => {
      writeFileSync(join(folder, "short"), "s".repeat(31));
      const withKey = (keyFile: string) =>
        settingsWith({
          clusters: [
            {
              name: "a",
              agents: { keys: [{ name: "k", keyFile }] },
              clients: { keys: [{ name: "k", keyFile: file("client") }] },
            },
          ],
        });
      const code = (keyFile: string) => {
        try {
          new AdmissionPolicy(withKey(keyFile), silentLogger).close();
        } catch (error) {
          return (error as { code: string }).code;
        }
        return undefined;
      };
      expect(code(join(folder, "short"))).toBe("ERR_SETTINGS_INVALID");
      expect(code(join(folder, "absent"))).toBe("ERR_SETTINGS_UNREADABLE");
      expect(code(file("client"))).toBeUndefined();
    });
  });
});
