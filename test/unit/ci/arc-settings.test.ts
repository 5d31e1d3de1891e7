import type { ArcSettings } from "../../../src/ci/arc-settings";
import type { CiSystem } from "../../../src/ci/inputs";
import { readSettings } from "../../../src/ci/settings";
import { FakePlatform } from "../../support/fake-platform";

describe("settings for Azure Arc", () => {
  const subscription = "00000000-1111-2222-3333-444444444444";
  const arc = {
    "cluster-name": "plant-7",
    "subscription-id": subscription,
    "resource-group": "plants_(1).x",
    "client-id": "client",
    "tenant-id": "tenant",
  };
  const readArc = (changes: Record<string, string> = {}, system: CiSystem = "github") =>
    readSettings(new FakePlatform({ system, inputs: { ...arc, ...changes } })).way as ArcSettings;
  const problem = (changes: Record<string, string>, system: CiSystem = "github"): string => {
    try {
      readArc(changes, system);
    } catch (error) {
      return (error as { detail: string }).detail;
    }
    throw new Error("no problem found");
  };

  it("take subscription, group and application, and the rest from the cloud", () => {
    expect(readArc()).toEqual({
      kind: "arc",
      subscriptionId: subscription,
      resourceGroup: "plants_(1).x",
      cloud: "AzureCloud",
      login: {
        kind: "application",
        clientId: "client",
        tenantId: "tenant",
        authority: "https://login.microsoftonline.com",
      },
      own: undefined,
      token: undefined,
      arcProxy: { path: undefined, digest: undefined, registry: undefined },
    });
  });

  it.each([
    ["AzureUSGovernment", "https://login.microsoftonline.us"],
    ["AzureChinaCloud", "https://login.partner.microsoftonline.cn"],
  ])("know where Entra is in %s", (cloud, authority) => {
    expect(readArc({ cloud }).login).toMatchObject({ authority });
  });

  it("take another cloud's endpoint, and where its Entra is", () => {
    const settings = readArc({ cloud: "https://arm.local", "entra-authority": "https://login.local" });
    expect([settings.cloud, settings.login]).toEqual([
      "https://arm.local",
      expect.objectContaining({ authority: "https://login.local" }),
    ]);
  });

  it("take secret, certificate and token, masked", () => {
    const platform = new FakePlatform({ inputs: { ...arc, "client-secret": "s3cret", token: "sa-token" } });
    expect(readSettings(platform).way).toMatchObject({
      own: { kind: "secret", secret: "s3cret" },
      token: "sa-token",
    });
    expect(platform.masks).toEqual(expect.arrayContaining(["s3cret", "sa-token"]));
    expect(readArc({ "client-certificate": "PEM" }).own).toEqual({ kind: "certificate", pem: "PEM" });
  });

  it("take arcProxy by path, digest and registry", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const changes = {
      "arc-proxy-path": "/p",
      "arc-proxy-digest": digest,
      "arc-proxy-registry": "https://mirror",
    };
    expect(readArc(changes).arcProxy).toEqual({ path: "/p", digest, registry: new URL("https://mirror") });
  });

  it.each([
    [{ "relay-url": "https://relay.example.com" }, "relay-url has no sense beside subscription-id"],
    [{ "subscription-id": "" }, "subscription-id is required"],
    [{ "resource-group": "" }, "resource-group is required"],
    [{ "subscription-id": "my subscription" }, "subscription-id is"],
    [{ "resource-group": "a/b" }, "resource-group is"],
    [{ cloud: "AzureGermanCloud" }, "cloud is"],
    [{ cloud: "http://arm.local" }, "cloud is"],
    [{ "client-id": "", "tenant-id": "" }, "client-id and tenant-id are required"],
    [{ "client-secret": "a", "client-certificate": "b" }, "client-secret has no sense beside"],
    [{ "arc-proxy-digest": "latest" }, "arc-proxy-digest is"],
    [{ "cluster-name": "emea/plant-7" }, "has no slash"],
    [{ "cluster-ca": "x" }, "cluster-ca has no sense beside subscription-id"],
    [{ "relay-scope": "x/.default" }, "relay-scope has no sense beside subscription-id"],
  ])("refuse %j", (changes, words) => {
    expect(problem(changes)).toContain(words);
  });

  it("are those of a service connection on Azure Pipelines", () => {
    const task = { "azure-subscription": "1-2-3" };
    expect(readArc(task, "azure-pipelines").login).toEqual({ kind: "service-connection", id: "1-2-3" });
    expect(problem({}, "azure-pipelines")).toContain("azureSubscription is required for Azure Arc");
  });
});
