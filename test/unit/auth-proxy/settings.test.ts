import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveApiserver } from "../../../src/auth-proxy/resolve-apiserver";
import { serverNameOf } from "../../../src/auth-proxy/server-name";
import { authProxySettings } from "../../../src/auth-proxy/settings";
import { serverNameOf as wireServerNameOf } from "../../../src/protocol/server-name";
import { validateSettings } from "../../../src/runtime/settings";

const minimal = {
  cluster: "plant-7",
  listen: { socket: "/run/cluster-connect/api.sock" },
  tls: { directory: "/var/lib/cluster-connect" },
  authentication: {
    jwt: [
      {
        issuer: {
          url: "https://token.actions.githubusercontent.com",
          audiences: ["cluster-connect/plant-7"],
        },
        claimMappings: { username: { claim: "sub", prefix: "github:" } },
      },
    ],
  },
};
const load = (more: object = {}) =>
  validateSettings({ ...minimal, ...more }, authProxySettings, "auth-proxy.yaml");

describe("auth proxy settings", () => {
  it("need little, and bound everything", () => {
    const settings = load();
    expect(settings.upgrades.spdy).toBe("allow");
    expect(settings.impersonation).toEqual({
      nested: false,
      constrained: false,
      allowSystemNames: false,
      maxGroups: 200,
      maxNameBytes: 4_096,
      maxExtraValues: 64,
    });
    expect(settings.limits.keepAliveTimeoutMs).toBeGreaterThanOrEqual(120_000);
    expect(settings.limits.apiserverIdleTimeoutMs).toBeLessThan(60_000);
    expect(settings.limits.headerBytes).toBeGreaterThanOrEqual(262_144);
  });

  it.each([
    ["an unknown key", { upgrade: { spdy: "refuse" } }],
    ["an unknown bound", { limits: { conections: 1 } }],
    ["a header of identity to be forwarded", { forwardHeaders: ["Impersonate-User"] }],
    ["a header of the connection to be forwarded", { forwardHeaders: ["Transfer-Encoding"] }],
    ["a plain http apiserver", { apiserver: { url: "http://10.0.0.1" } }],
    ["two stores", { tls: { directory: "/a", secret: "b" } }],
    ["two places to listen", { listen: { socket: "/a", host: "127.0.0.1", port: 1 } }],
    ["nobody to trust", { authentication: { jwt: [] } }],
  ])("refuse %s", (_, more) => {
    expect(() => load(more)).toThrow(expect.objectContaining({ code: "ERR_SETTINGS_INVALID" }));
  });

  it("say where in the authentication something is wrong", () => {
    const entry = { issuer: { url: "https://issuer.example.com", audiences: ["a"] } };
    const username = { claim: "sub" };
    expect(() => load({ authentication: { jwt: [{ ...entry, claimMappings: { username } }] } })).toThrow(
      "authentication.jwt.0.claimMappings.username.prefix: Required value",
    );
    expect(() => load({ authentication: { jwt: [{ ...entry, claimMapping: {} }] } })).toThrow(
      'unknown key "authentication.jwt.0.claimMapping", did you mean "claimMappings"?',
    );
  });

  it("compute the server name that the other end computes", () => {
    for (const cluster of ["plant-7", "emea/plant-7"])
      expect(serverNameOf(cluster)).toBe(wireServerNameOf(cluster));
  });
});

describe("apiserver target", () => {
  const directory = mkdtempSync(join(tmpdir(), "target-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };

  it("is where Kubernetes says it is, unless settings name another", () => {
    const caFile = file("ca.crt", "PEM");
    const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
    expect(resolveApiserver({ caFile }, environment).url.host).toBe("[fd00::1]");
    expect(resolveApiserver({ caFile, url: "https://k8s:6443" }, environment).url.host).toBe("k8s:6443");
    expect(() => resolveApiserver({ caFile }, {})).toThrow("KUBERNETES_SERVICE_HOST");
    expect(() => resolveApiserver({}, environment)).toThrow(
      expect.objectContaining({ code: "ERR_APISERVER_SETTINGS" }),
    );
  });

  it("is read from a kubeconfig, with files beside it and data within it", () => {
    file("client.crt", "CERT");
    const path = file(
      "kubeconfig",
      `
current-context: one
contexts:
  - { name: one, context: { cluster: c, user: u } }
  - { name: two, context: { cluster: c, user: t } }
  - { name: three, context: { cluster: c, user: none } }
clusters:
  - name: c
    cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: ${Buffer.from("CA").toString("base64")} }
users:
  - { name: u, user: { client-certificate: client.crt, client-key-data: ${Buffer.from("KEY").toString("base64")} } }
  - { name: t, user: { token: abc } }
  - { name: none, user: { } }
`,
    );
    expect(resolveApiserver({ kubeconfig: path }, {})).toMatchObject({
      caPem: "CA",
      clientCertificate: { certPem: "CERT", keyPem: "KEY" },
      token: undefined,
    });
    expect(resolveApiserver({ kubeconfig: path, context: "two" }, {})).toMatchObject({ token: "abc" });
    for (const context of ["three", "four"]) {
      expect(() => resolveApiserver({ kubeconfig: path, context }, {})).toThrow(
        expect.objectContaining({ code: "ERR_APISERVER_SETTINGS" }),
      );
    }
  });
});
