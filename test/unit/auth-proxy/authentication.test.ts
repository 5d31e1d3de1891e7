import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authentication } from "../../../src/auth-proxy/authentication";
import { createMetrics } from "../../../src/auth-proxy/metrics";
import { authProxySettings } from "../../../src/auth-proxy/settings";
import type { Logger } from "../../../src/runtime/logger";
import { eventually } from "../../support/eventually";
import { startIssuer, type TestIssuer } from "../../support/issuer";

const failure = (code: string) => expect.objectContaining({ code });

describe("authentication of the auth proxy", () => {
  let folder: string;
  let issuer: TestIssuer;
  let authentication: Authentication | undefined;
  const metrics = createMetrics();
  const events: [string, unknown][] = [];
  const record = (event: string, fields: unknown) => void events.push([event, fields]);
  const logger = {
    info: record,
    warn: record,
    error: record,
    debug: record,
    child: () => logger,
  } as unknown as Logger;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "authentication-"));
    issuer = await startIssuer();
    events.length = 0;
  });
  afterEach(async () => {
    authentication?.close();
    await issuer.close();
    rmSync(folder, { recursive: true });
  });

  const configuration = (prefix: string, more: object = {}) => ({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    jwt: [
      {
        issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"] },
        claimMappings: { username: { claim: "sub", prefix } },
      },
    ],
    ...more,
  });
  const settings = (inline: object) => ({
    cluster: "plant-7",
    listen: { host: "127.0.0.1", port: 0 },
    tls: { directory: folder },
    authentication: inline,
    limits: { configurationCheckMs: 10 },
  });
  const write = (name: string, content: unknown) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  };
  const start = (inline: object, config?: string) =>
    (authentication = new Authentication(authProxySettings.parse(settings(inline)), {
      config,
      metrics,
      logger,
    }));
  const happened = (event: string) => eventually(() => events.some(([name]) => name === event));
  const nameOf = async (token: string) => (await authentication?.verify(token))?.identity?.username;

  it("takes a changed file up, and keeps the old one when the new one is bad", async () => {
    const file = write("auth.json", configuration("a:"));
    start({ file });
    const token = await issuer.mint({}, { subject: "me" });
    expect(await nameOf(token)).toBe("a:me");
    write("auth.json", configuration("b:"));
    await happened("authentication.reloaded");
    expect(await nameOf(token)).toBe("b:me");

    write("auth.json", configuration("c:", { jwts: [] }));
    await happened("authentication.reload_failed");
    const [, fields] = events.find(([name]) => name === "authentication.reload_failed") ?? [];
    expect(fields).toMatchObject({ reason: expect.stringContaining('unknown key "jwts"'), oldKept: true });
    expect(await nameOf(token)).toBe("b:me");
    expect(await metrics.registry.metrics()).toContain('configuration_reloads_total{outcome="failure"} 1');
    expect(await metrics.registry.metrics()).toContain("configuration_current 0");

    events.length = 0;
    write("auth.json", configuration("d:"));
    await happened("authentication.reloaded");
    expect(await nameOf(token)).toBe("d:me");
    expect(await metrics.registry.metrics()).toContain("configuration_current 1");
    expect(issuer.keyFetches).toBe(1);
  });

  it("takes up the authentication that stands in the process's own file", async () => {
    const config = write("auth-proxy.json", settings(configuration("a:")));
    start(configuration("a:"), config);
    const token = await issuer.mint({}, { subject: "me" });
    expect(await nameOf(token)).toBe("a:me");
    write("auth-proxy.json", settings(configuration("b:")));
    await happened("authentication.reloaded");
    expect(await nameOf(token)).toBe("b:me");
    write("auth-proxy.json", "cluster: [");
    await happened("authentication.reload_failed");
    expect(await nameOf(token)).toBe("b:me");
  });

  it("lets nobody in without a credential, unless that is configured", () => {
    start(configuration("a:"));
    expect(() => authentication?.anonymous("/livez")).toThrow(failure("ERR_AUTH_PROXY_NO_CREDENTIAL"));
    authentication?.close();
    start(configuration("a:", { anonymous: { enabled: false } }));
    expect(() => authentication?.anonymous("/livez")).toThrow(failure("ERR_AUTH_PROXY_NO_CREDENTIAL"));
  });

  it("lets anybody ask for the paths that are open, as the cluster's own anonymous user", () => {
    const anonymous = { username: "system:anonymous", groups: ["system:unauthenticated"], extra: {} };
    start(configuration("a:", { anonymous: { enabled: true, conditions: [{ path: "/livez" }] } }));
    for (const target of ["/livez", "/livez?verbose"]) {
      expect(authentication?.anonymous(target).identity).toEqual(anonymous);
    }
    for (const target of ["/livez/", "/readyz", "//livez", "/livez%3f", "/api/../livez", ""]) {
      expect(() => authentication?.anonymous(target)).toThrow(failure("ERR_AUTH_PROXY_NO_CREDENTIAL"));
    }
    authentication?.close();
    start(configuration("a:", { anonymous: { enabled: true } }));
    expect(authentication?.anonymous("/api/v1/secrets").identity).toEqual(anonymous);
  });
});
