import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tokenLimits } from "../../../src/identity/token-limits";
import { stringify } from "yaml";
import { loadRelaySettings } from "../../../src/relay/settings";

const key = { name: "k", keyFile: "/keys/k" };
const good = {
  publicUrl: "https://relay.example.com",
  listen: { port: 8443 },
  tls: { certFile: "/tls/crt", keyFile: "/tls/key" },
  clusters: [{ name: "plant-7", agents: { keys: [key] }, clients: { keys: [key] } }],
};
const issuer = { issuer: { url: "https://issuer.example.com" } };
const withCluster = (changes: object) => ({ ...good, clusters: [{ ...good.clusters[0], ...changes }] });
const allow = (...rules: object[]) => ({ ...withCluster({ clients: { allow: rules } }), issuers: [issuer] });

describe("the relay's settings", () => {
  const folder = mkdtempSync(join(tmpdir(), "relay-settings-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const load = (document: unknown) => {
    const path = join(folder, "relay.yaml");
    writeFileSync(path, typeof document === "string" ? document : stringify(document));
    return loadRelaySettings(path);
  };

  it("need an address, a port, and a cluster with somebody on either side; every bound has a default", () => {
    expect(load(good)).toEqual({
      ...good,
      listen: { host: "0.0.0.0", port: 8443 },
      trustedProxy: false,
      issuers: [],
      clusters: [
        {
          name: "plant-7",
          agents: { keys: [key], serviceAccounts: [] },
          clients: { keys: [key], allow: [] },
        },
      ],
      health: { host: "127.0.0.1", port: 0 },
      limits: {
        listenersPerCluster: 25,
        connections: 20_000,
        strangers: 8_192,
        strangersPerAddress: 1_024,
        links: 5_000,
        linksPerIdentity: 1_000,
        opensPerIdentityPerMinute: 6_000,
        pending: 1_000,
        headerBytes: 65_536,
        legBytes: 262_144,
        controlBytes: 1_048_576,
        parkedBytes: 67_108_864,
        parkedPerAddress: 512,
      },
      timers: {
        tlsHandshakeMs: 10_000,
        headersMs: 10_000,
        rendezvousMs: 30_000,
        pingMs: 30_000,
        closeMs: 60_000,
        expiryGraceMs: 300_000,
        parkedMs: 50_000,
        turnAwayMs: 5_000,
        tlsReloadMs: 10_000,
        configurationCheckMs: 10_000,
        drainMs: 3_600_000,
      },
      tokenLimits: tokenLimits.parse({}),
    });
  });

  it("have every bound in docs/relay.md, with its default", () => {
    const page = readFileSync(join(__dirname, "../../../docs/relay.md"), "utf8");
    const { limits, timers } = load(good);
    for (const [group, bounds] of Object.entries({ limits, timers })) {
      for (const [name, value] of Object.entries(bounds)) {
        expect(page).toMatch(
          new RegExp(`\\| \`${group}\\.${name}\` +\\| ${value.toLocaleString("en-US")} +\\|`),
        );
      }
    }
  });

  it("let every bound be set", () => {
    const { limits, timers } = load(good);
    const changed = <Bounds extends object>(bounds: Bounds) =>
      Object.fromEntries(Object.keys(bounds).map((name) => [name, 7]));
    expect(load({ ...good, limits: changed(limits), timers: changed(timers) })).toMatchObject({
      limits: changed(limits),
      timers: changed(timers),
    });
  });

  const { tls: _, ...plain } = good;
  it.each([
    ["loopback", { ...plain, listen: { host: "127.0.0.1", port: 1 } }],
    ["loopback by name", { ...plain, listen: { host: "localhost", port: 1 } }],
    ["loopback over IPv6", { ...plain, listen: { host: "::1", port: 1 } }],
    ["any address behind a balancer", { ...plain, trustedProxy: true }],
  ])("serve plain HTTP on %s", (__, document) => expect(load(document).tls).toBeUndefined());

  it.each<[string, unknown, string]>([
    ["plain HTTP on every address", plain, "tls: is required on an address that is not loopback"],
    ["plain HTTP on a public one", { ...plain, listen: { host: "10.0.0.1", port: 1 } }, "tls: is required"],
    [
      "plain HTTP on a name that begins like loopback",
      { ...plain, listen: { host: "127.0.0.1.example.com", port: 1 } },
      "tls: is required",
    ],
    ["no cluster", { ...good, clusters: [] }, "clusters"],
    ["no credential for agents", withCluster({ agents: {} }), "plant-7 has no credential for agents"],
    ["no credential for clients", withCluster({ clients: {} }), "plant-7 has no credential for clients"],
    ["no credential at all", { ...good, clusters: [{ name: "a" }] }, "a has no credential for agents"],
    [
      "two clusters of one name",
      { ...good, clusters: [good.clusters[0], good.clusters[0]] },
      "must not repeat",
    ],
    [
      "two clusters whose names differ in case",
      { ...good, clusters: [good.clusters[0], { ...good.clusters[0], name: "PLANT-7" }] },
      "must not repeat",
    ],
    ["a name that is no path", withCluster({ name: "a//b" }), "clusters.0.name"],
    ["a name that climbs", withCluster({ name: "a b" }), "clusters.0.name"],
    ["a name too long", withCluster({ name: "a".repeat(261) }), "clusters.0.name"],
    [
      "a rule of an unknown issuer",
      withCluster({ clients: { allow: [{ issuer: "https://x", claims: { a: "b" } }] } }),
      "not among issuers",
    ],
    [
      "a service account of an unknown issuer",
      withCluster({ agents: { serviceAccounts: [{ issuer: "https://x", subject: "s" }] } }),
      "not among issuers",
    ],
    [
      "a rule for everybody",
      allow({ issuer: issuer.issuer.url, claims: {} }),
      "at least one claim is required",
    ],
    ["a rule without claims", allow({ issuer: issuer.issuer.url }), "clusters.0.clients.allow.0.claims"],
    [
      "an expression that is none",
      allow({ issuer: issuer.issuer.url, expression: "claims.ref ==" }),
      "clusters.0.clients.allow.0.expression",
    ],
    [
      "an expression that is no truth",
      allow({ issuer: issuer.issuer.url, expression: "claims.ref" }),
      "must evaluate to bool",
    ],
    ["a claim of no value", allow({ issuer: issuer.issuer.url, claims: { a: [] } }), "claims.a"],
    ["an issuer twice", { ...good, issuers: [issuer, issuer] }, "issuers.1.issuer.url: Duplicate value"],
    [
      "an issuer over plain HTTP",
      { ...good, issuers: [{ issuer: { url: "http://i.example.com" } }] },
      "URL scheme must be https",
    ],
    ["an address with a path", { ...good, publicUrl: "https://relay.example.com/x" }, "publicUrl"],
    ["an address of another scheme", { ...good, publicUrl: "ftp://relay.example.com" }, "publicUrl"],
    ["no bound where one is needed", { ...good, limits: { links: 0 } }, "limits.links"],
    ["a timer that Node would cut short", { ...good, timers: { drainMs: 2_147_483_648 } }, "timers.drainMs"],
    ["an unknown key", { ...good, lisen: {} }, 'unknown key "lisen", did you mean "listen"?'],
    [
      "an unknown key inside",
      withCluster({ agents: { keys: [{ ...key, keyfile: "x" }] } }),
      'did you mean "keyFile"?',
    ],
    ["an unknown bound", { ...good, limits: { lnks: 1 } }, 'did you mean "links"?'],
    ["nothing", "", "publicUrl"],
  ])("refuse %s, by name", (__, document, words) => {
    expect(() => load(document)).toThrow(
      expect.objectContaining({
        code: "ERR_SETTINGS_INVALID",
        message: expect.stringContaining(words) as string,
      }),
    );
  });

  it("refuse what is no YAML, and a file that is not there", () => {
    expect(() => load("a: [")).toThrow(expect.objectContaining({ code: "ERR_SETTINGS_UNREADABLE" }));
    expect(() => load("a: 1\na: 2")).toThrow(expect.objectContaining({ code: "ERR_SETTINGS_UNREADABLE" }));
    expect(() => loadRelaySettings("/nowhere.yaml")).toThrow(
      expect.objectContaining({ code: "ERR_SETTINGS_UNREADABLE" }),
    );
  });
});
