import { readSettings } from "../../../src/ci/settings";
import { createTestCertificate } from "../../support/certificate";
import { FakePlatform } from "../../support/fake-platform";

const least = { "cluster-name": "plant-7", "relay-url": "https://relay.example.com" };
const read = (inputs: Record<string, string>) => readSettings(new FakePlatform({ inputs }));
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
      relayUrl: new URL("https://relay.example.com"),
      relayCa: undefined,
      clusterCa: undefined,
      trustRelay: false,
      relayAudience: "https://relay.example.com",
      clusterAudience: "cluster-connect/plant-7",
      relayKey: undefined,
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
      relayCa: caPem.trim(),
      trustRelay: true,
      clusterAudience: "mine",
      relayKey: { name: "ci", key: "key" },
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
    ["timeout", "-1", "not a duration"],
    ["log-level", "trace", "not one of debug, info, warn, error"],
    ["relay-audience", "api://AzureADTokenExchange", "Microsoft Entra alone"],
    ["cluster-audience", "API://azureadtokenexchange", "Microsoft Entra alone"],
    ["cluster-audience", "https://relay.example.com", "must differ"],
  ])("refuse %s %j", (name, value, problem) => {
    expect(problemOf({ [name]: value })).toContain(problem);
  });

  it("refuse an audience for a relay that is shown a key", () => {
    expect(problemOf({ "relay-key-name": "ci", "relay-key": "key", "relay-audience": "a" })).toContain(
      "relay-audience has no sense beside relay-key",
    );
  });

  it("let loopback do without TLS", () => {
    expect(read({ ...least, "relay-url": "http://127.0.0.1:8080" }).relayUrl.port).toBe("8080");
  });

  it("quote no line break of an input", () => {
    expect(problemOf({ timeout: "1\n::error::x" })).not.toContain("\n");
  });
});
