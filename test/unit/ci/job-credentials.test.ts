import { jobCredentials } from "../../../src/ci/job-credentials";
import type { RelaySettings } from "../../../src/ci/relay-settings";
import { readSettings } from "../../../src/ci/settings";
import type { CiSystem } from "../../../src/ci/inputs";
import { FakePlatform } from "../../support/fake-platform";

const credentials = (system: CiSystem, inputs: Record<string, string> = {}) => {
  const platform = new FakePlatform({
    system,
    inputs: { "cluster-name": "plant-7", "relay-url": "https://relay.example.com", ...inputs },
  });
  return jobCredentials(platform, readSettings(platform).way as RelaySettings);
};
const key = { "relay-key-name": "ci", "relay-key": "secret" };
const scopes = { "relay-scope": "api://relay/.default", "cluster-scope": "api://plant-7/.default" };

describe("the credentials of a job", () => {
  it("are two tokens of two audiences where the CI system issues them", () => {
    expect(credentials("github")).toMatchObject({
      relay: { kind: "github-oidc", audience: "https://relay.example.com" },
      cluster: { kind: "github-oidc", audience: "cluster-connect/plant-7" },
    });
  });

  it("are refused where both would be the same, unless somebody has allowed it", () => {
    expect(() => credentials("azure-pipelines")).toThrow(
      expect.objectContaining({ code: "ERR_CI_SHARED_TOKEN" }) as Error,
    );
    expect(credentials("azure-pipelines", { "allow-shared-token": "true" }).relay).toMatchObject({
      kind: "github-oidc",
    });
  });

  it("are a key for the relay and a token for the cluster", () => {
    expect(credentials("azure-pipelines", key)).toMatchObject({
      relay: { kind: "sas", keyName: "ci", key: "secret" },
      cluster: { kind: "github-oidc" },
    });
  });

  it("are a given token for the cluster, which leaves the job's own to the relay alone", () => {
    const given = { token: "eyJh.eyJi.c2ln" };
    for (const system of ["github", "azure-pipelines"] as const) {
      expect(credentials(system, given)).toMatchObject({
        relay: { kind: "github-oidc" },
        cluster: { kind: "static", token: "eyJh.eyJi.c2ln" },
      });
    }
    const login = { "client-id": "app", "tenant-id": "tenant", "relay-scope": "api://relay/.default" };
    expect(credentials("github", { ...given, ...login })).toMatchObject({
      relay: { kind: "entra" },
      cluster: { kind: "static" },
    });
    expect(credentials("github", { ...given, ...key })).toMatchObject({
      relay: { kind: "sas" },
      cluster: { kind: "static" },
    });
  });

  it.each([
    ["github", { "client-id": "app", "tenant-id": "tenant" }],
    ["azure-pipelines", { "azure-subscription": "app" }],
  ] as const)("are two scopes of one application, on %s", (system, login) => {
    const assertion = { kind: "github-oidc", audience: "api://AzureADTokenExchange" };
    expect(credentials(system, { ...login, ...scopes })).toMatchObject({
      relay: { kind: "entra", clientId: "app", scope: "api://relay/.default", assertion },
      cluster: { kind: "entra", clientId: "app", scope: "api://plant-7/.default", assertion },
    });
    expect(credentials(system, { ...login, ...scopes, "relay-scope": "", ...key }).relay).toMatchObject({
      kind: "sas",
    });
  });
});
