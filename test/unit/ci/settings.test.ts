import type { RelaySettings } from "../../../src/ci/relay-settings";
import { readSettings } from "../../../src/ci/settings";
import { createTestCertificate } from "../../support/certificate";
import { FakePlatform } from "../../support/fake-platform";

const least = { "cluster-name": "plant-7", "relay-url": "https://relay.example.com" };
const read = (inputs: Record<string, string>) => readSettings(new FakePlatform({ inputs }));
const readRelay = (inputs: Record<string, string>) => read(inputs).way as RelaySettings;
const problemOf = (changes: Record<string, string>): string => {
  try {
    read({ ...least, ...changes });
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_CI_INPUT" });
    return (error as { detail: string }).detail;
  }
  throw new Error("no problem found");
};

describe("settings from inputs", () => {
  it("derive audiences and context from cluster and relay", () => {
    expect(read(least)).toEqual({
      clusterName: "plant-7",
      way: {
        kind: "relay",
        relayUrl: new URL("https://relay.example.com"),
        relayCa: undefined,
        clusterCa: undefined,
        trustRelay: false,
        credentials: {
          relay: { kind: "token", audience: "https://relay.example.com" },
          cluster: { kind: "token", audience: "cluster-connect/plant-7" },
          entra: undefined,
          serviceConnection: undefined,
          allowSharedToken: false,
        },
      },
      contextName: "plant-7",
      namespace: undefined,
      timeoutMs: 60_000,
      logLevel: "info",
      summary: true,
    });
  });

  it("take every input", async () => {
    const { caPem } = await createTestCertificate();
    const settings = read({
      "cluster-name": "emea/plant-7",
      "relay-url": "https://relay.example.com:8443/",
      "relay-ca": caPem,
      "cluster-ca": `sha256:${"0".repeat(64)}`,
      "insecure-trust-relay": "True",
      "cluster-audience": "mine",
      "relay-key-name": "ci",
      "relay-key": "key",
      "context-name": "seven",
      namespace: "shop",
      timeout: "2m",
      "log-level": "debug",
      summary: "false",
    });
    expect(settings).toMatchObject({
      clusterName: "emea/plant-7",
      way: {
        kind: "relay",
        relayCa: caPem.trim(),
        trustRelay: true,
        credentials: {
          cluster: { kind: "token", audience: "mine" },
          relay: { kind: "key", name: "ci", key: "key" },
        },
      },
      contextName: "seven",
      namespace: "shop",
      timeoutMs: 120_000,
      logLevel: "debug",
      summary: false,
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it("name everything that is wrong at once", () => {
    expect(problemOf({ "relay-url": "http://relay.example.com", timeout: "soon", summary: "maybe" })).toMatch(
      /relay-url is .*; timeout is .*; summary is /s,
    );
  });

  it("mask the key before anything is looked at", () => {
    const platform = new FakePlatform({ inputs: { "relay-key": "the key", summary: "maybe" } });
    expect(() => readSettings(platform)).toThrow();
    expect(platform.masks).toEqual(["the key"]);
  });

  it.each([
    ["cluster-name", "", "cluster-name is required"],
    ["relay-url", "", "relay-url is required"],
    ["cluster-name", "plant 7", 'cluster-name is "plant 7"'],
    ["cluster-name", "../plant", "cluster-name is"],
    ["cluster-name", "plant-7/", "cluster-name is"],
    ["cluster-name", "a".repeat(261), "cluster-name is"],
    ["relay-url", "relay.example.com", "relay-url is"],
    ["relay-url", "http://relay.example.com", "not an https:// address"],
    ["relay-url", "https://relay.example.com/path", "without path"],
    ["relay-url", "https://relay.example.com/?", "relay-url is"],
    ["relay-url", "https://user:pass@relay.example.com", "without path, query or user"],
    ["relay-url", "https://relay.example.com/#x", "relay-url is"],
    ["relay-ca", "not a certificate", "relay-ca holds no PEM certificate"],
    [
      "relay-ca",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      "relay-ca holds a certificate that cannot be read",
    ],
    ["insecure-trust-relay", "yes", "neither true nor false"],
    ["relay-key", "key", "relay-key-name and relay-key belong together"],
    ["relay-key-name", "name", "relay-key-name and relay-key belong together"],
    ["namespace", "Shop", "namespace is"],
    ["namespace", "a".repeat(64), "namespace is"],
    ["timeout", "0s", "not between 1s and 1h"],
    ["timeout", "2h", "not between 1s and 1h"],
    ["timeout", "-1", 'timeout is "-1", not a duration'],
    ["log-level", "trace", "not one of debug, info, warn, error"],
    ["relay-audience", "api://AzureADTokenExchange", "Microsoft Entra alone"],
    ["cluster-audience", "API://azureadtokenexchange", "Microsoft Entra alone"],
    ["cluster-audience", "https://relay.example.com", "must differ"],
    ["token", "two words", "token is not a bearer token"],
  ])("refuse %s %j", (name, value, problem) => {
    expect(problemOf({ [name]: value })).toContain(problem);
  });

  it("take a token for the cluster, masked, and quote none", () => {
    const platform = new FakePlatform({ inputs: { ...least, token: "eyJh.eyJi.c2ln\n" } });
    expect((readSettings(platform).way as RelaySettings).credentials).toMatchObject({
      relay: { kind: "token" },
      cluster: { kind: "given", token: "eyJh.eyJi.c2ln" },
    });
    expect(platform.masks).toEqual(["eyJh.eyJi.c2ln"]);
    expect(problemOf({ token: "p@ssword !" })).not.toContain("p@ssword");
  });

  it.each([
    [{ "cluster-audience": "a" }, "cluster-audience has no sense beside token"],
    [
      { "client-id": "a", "tenant-id": "b", "relay-scope": "c/.default", "cluster-scope": "d/.default" },
      "cluster-scope has no sense beside token",
    ],
    [{ "client-id": "a", "tenant-id": "b" }, "relay-scope is required"],
  ])("refuse beside a token %j", (changes, problem) => {
    expect(problemOf({ token: "eyJh.eyJi.c2ln", ...changes })).toContain(problem);
  });

  describe("for Microsoft Entra", () => {
    const entra = {
      "client-id": "client",
      "tenant-id": "tenant",
      "relay-scope": "https://relay.azure.net/.default",
      "cluster-scope": "api://plant-7/.default",
    };

    it("take a scope for each side, and the application that asks for them", () => {
      expect(readRelay({ ...least, ...entra }).credentials).toEqual({
        relay: { kind: "entra", scope: "https://relay.azure.net/.default" },
        cluster: { kind: "entra", scope: "api://plant-7/.default" },
        entra: {
          kind: "application",
          clientId: "client",
          tenantId: "tenant",
          authority: "https://login.microsoftonline.com",
        },
        serviceConnection: undefined,
        allowSharedToken: false,
      });
    });

    it("take a key of the relay instead of its scope", () => {
      const key = { "relay-key-name": "ci", "relay-key": "key" };
      expect(readRelay({ ...least, ...entra, "relay-scope": "", ...key }).credentials).toMatchObject({
        relay: { kind: "key" },
        cluster: { kind: "entra" },
      });
    });

    const guid = "0f0f0f0f-0000-4000-8000-000000000000";
    it.each([
      [{ "tenant-id": "" }, "client-id and tenant-id belong together"],
      [{ "cluster-scope": "" }, "cluster-scope is required"],
      [{ "relay-scope": "" }, "relay-scope is required"],
      [{ "relay-scope": "api://plant-7/read" }, "relay-scope is"],
      [{ "relay-scope": "a b/.default" }, "relay-scope is"],
      [{ "relay-scope": "API://plant-7//.default" }, "must differ"],
      [{ "relay-scope": `${guid}/.default`, "cluster-scope": `api://${guid}/.default` }, "must differ"],
      [{ "cluster-audience": "a" }, "cluster-audience has no sense beside client-id"],
      [{ "relay-key-name": "ci", "relay-key": "key" }, "relay-scope has no sense beside relay-key"],
      [{ "entra-authority": "http://login.example.com" }, "entra-authority is"],
      [{ "client-id": "", "tenant-id": "" }, "relay-scope has no sense without client-id and tenant-id"],
    ])("refuse %j", (changes, problem) => {
      expect(problemOf({ ...entra, ...changes })).toContain(problem);
    });
  });

  describe("on Azure Pipelines", () => {
    const readTask = (inputs: Record<string, string>) =>
      readSettings(new FakePlatform({ system: "azure-pipelines", inputs: { ...least, ...inputs } }))
        .way as RelaySettings;

    it("take what only it has, and leave what it has not", () => {
      const changes = {
        "azure-subscription": "1-2-3",
        "relay-scope": "api://relay/.default",
        "cluster-scope": "api://plant-7/.default",
        "client-id": "another",
      };
      expect(readTask(changes).credentials.entra).toEqual({ kind: "service-connection", id: "1-2-3" });
      expect(readTask({ "cluster-audience": "another" }).credentials.cluster).toEqual({
        kind: "token",
        audience: "cluster-connect/plant-7",
      });
      expect(readRelay({ ...least, "allow-shared-token": "true" }).credentials.allowSharedToken).toBe(false);
    });

    it.each([
      [{ "cluster-name": "" }, "clusterName is required"],
      [{ timeout: "2h", "log-level": "x" }, /timeout is .*; logLevel is/],
      [{ "relay-key": "key" }, "relayKeyName and relayKey belong together"],
      [{ "azure-subscription": "1", "service-connection": "2" }, "serviceConnection has no sense beside"],
      [{ "cluster-scope": "a/.default" }, "clusterScope has no sense without azureSubscription"],
      [{ "allow-shared-token": "true", "relay-key-name": "a", "relay-key": "b" }, "no token is shared"],
    ])("name %j as its users do", (changes, problem) => {
      expect(() => readTask(changes)).toThrow(problem);
    });
  });

  it("that mean Azure Arc alone are refused beside a relay, and neither way is refused", () => {
    expect(problemOf({ cloud: "AzureCloud" })).toContain("cloud has no sense beside relay-url");
    expect(problemOf({ "relay-url": "" })).toContain("relay-url is required, or for Azure Arc");
  });

  it("refuse an audience for a relay that is shown a key", () => {
    expect(problemOf({ "relay-key-name": "ci", "relay-key": "key", "relay-audience": "a" })).toContain(
      "relay-audience has no sense beside relay-key",
    );
  });

  it("let loopback do without TLS", () => {
    expect(readRelay({ ...least, "relay-url": "http://127.0.0.1:8080" }).relayUrl.port).toBe("8080");
  });

  it("quote no line break of an input", () => {
    expect(problemOf({ timeout: "1\n::error::x" })).not.toContain("\n");
  });
});
