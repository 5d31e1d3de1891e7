import { randomUUID } from "node:crypto";
import { ArmClient } from "../../../src/arc/arm-client";
import { clouds, resolveCloud } from "../../../src/arc/cloud";
import {
  fetchConnectivity,
  fetchRelayCredential,
  refuseUnlessReachable,
  type ClusterResource,
} from "../../../src/arc/connected-cluster";
import { LastingToken } from "../../../src/arc/lasting-token";
import { createEntraTokenSource } from "../../../src/credentials/entra-token";
import type { ClusterConnectError } from "../../../src/runtime/errors";
import { retryAfterOf } from "../../../src/runtime/retry-after";
import { Arm, clusterName, resourceGroup, resourceId, subscriptionId } from "../../support/azure/arm";
import { clientId, Entra, tenantId } from "../../support/azure/entra";

const cluster: ClusterResource = { subscriptionId, resourceGroup, name: clusterName };

describe("Azure Resource Manager", () => {
  let entra: Entra;
  let arm: Arm;
  let token: LastingToken;
  const correlationId = randomUUID();
  const client = () =>
    new ArmClient({
      resourceManager: new URL(arm.url),
      token: (signal) => token.value(signal),
      correlationId,
    });
  const failure = (of: Partial<ClusterResource> = {}) =>
    fetchRelayCredential(client(), { ...cluster, ...of }, "AAD").then(
      () => {
        throw new Error("a credential was issued");
      },
      (error: ClusterConnectError) => error,
    );

  beforeAll(async () => {
    entra = await Entra.start({ secret: "s" });
    arm = await Arm.start({ entra });
    const source = createEntraTokenSource(
      { authority: new URL(entra.url), tenantId, clientId, credential: { kind: "secret", secret: "s" } },
      clouds.AzureCloud.resourceManagerScope,
    );
    token = new LastingToken(source);
  });
  afterEach(() => {
    Object.assign(arm, { agent: "connected", connectivityStatus: "Connected", throttled: 0 });
    arm.actions = new Set(["read", "listClusterUserCredential/action"]);
    arm.service.outage = undefined;
    expect([...arm.service.violations, ...entra.service.violations]).toEqual([]);
  });
  afterAll(async () => {
    await arm.close();
    await entra.close();
  });

  it("lists a credential that lives as long as it says, counted by its own clock", async () => {
    const credential = await fetchRelayCredential(client(), cluster, "AAD");
    expect(credential.hybridConnectionConfig.token).toMatch(/^SharedAccessSignature /);
    expect(credential.lifetimeMs).toBeGreaterThan(10_795_000);
    expect(credential.lifetimeMs).toBeLessThanOrEqual(10_800_000);
    arm.service.delayMs = 300;
    const { receivedAtMs, lifetimeMs, hybridConnectionConfig } = await fetchRelayCredential(
      client(),
      cluster,
      "AAD",
    );
    arm.service.delayMs = 0;
    // Never longer, however long the answer was under way.
    expect(receivedAtMs + lifetimeMs).toBeLessThanOrEqual(hybridConnectionConfig.expirationTime * 1_000);
    await fetchRelayCredential(client(), cluster, "Token");
    expect(arm.issued).toEqual(["AAD", "AAD", "Token"]);
  });

  it("sees one correlation id in a session, and one token for several calls", async () => {
    const before = entra.issued.length;
    await fetchConnectivity(client(), cluster);
    await fetchRelayCredential(client(), cluster, "AAD");
    expect(arm.correlationIds).toEqual(new Set([correlationId]));
    expect(entra.issued.length - before).toBeLessThanOrEqual(1);
  });

  it.each([
    ["the role is missing", () => void arm.actions.clear(), {}, "ERR_ARC_ROLE_MISSING"],
    ["there is no such cluster", () => undefined, { name: "plant-9" }, "ERR_ARC_CLUSTER_NOT_FOUND"],
    ["there is no such group", () => undefined, { resourceGroup: "x" }, "ERR_ARC_GROUP_NOT_FOUND"],
    [
      "there is no such subscription",
      () => undefined,
      { subscriptionId: "x" },
      "ERR_ARC_SUBSCRIPTION_NOT_FOUND",
    ],
    ["no agent has ever come up", () => void (arm.agent = "never"), {}, "ERR_ARC_AGENT_NEVER_STARTED"],
    ["no agent is connected", () => void (arm.agent = "gone"), {}, "ERR_ARC_AGENT_NOT_CONNECTED"],
    ["it throttles", () => void (arm.throttled = 1), {}, "ERR_ARM_THROTTLED"],
    ["it hangs up", () => void (arm.service.outage = "hangs-up"), {}, "ERR_ARM_UNREACHABLE"],
    ["it is out of order", () => void (arm.service.outage = { status: 503 }), {}, "ERR_ARM_UNREACHABLE"],
    [
      "it answers nonsense",
      () => void (arm.service.outage = { status: 200, body: "<" }),
      {},
      "ERR_ARM_ANSWER",
    ],
    ["it answers something else", () => void (arm.service.outage = { status: 418 }), {}, "ERR_ARM_REFUSED"],
    [
      "it names no relay",
      () => void (arm.service.outage = { status: 200, body: {} }),
      {},
      "ERR_ARC_AGENT_NEVER_STARTED",
    ],
  ])("is told by a code of its own when %s", async (_, arrange, of, code) => {
    arrange();
    expect((await failure(of)).code).toBe(code);
  });

  it("names the role to assign and the scope to assign it at", async () => {
    arm.actions.clear();
    const { detail } = await failure();
    expect(detail).toContain(`assign "Azure Arc Enabled Kubernetes Cluster User Role" at ${resourceId};`);
    expect(detail).toContain(`[correlation id ${correlationId}]`);
  });

  it("says when to come back, and a refused token is not kept", async () => {
    arm.throttled = 1;
    expect(retryAfterOf(await failure())).toBe(1_000);
    const stale = new ArmClient({
      resourceManager: new URL(arm.url),
      token: async () => "stale",
      correlationId,
    });
    await expect(fetchConnectivity(stale, cluster)).rejects.toMatchObject({ code: "ERR_ARM_TOKEN_REFUSED" });
    const before = entra.issued.length;
    token.forget();
    await fetchConnectivity(client(), cluster);
    expect(entra.issued.length).toBe(before + 1);
  });

  it.each([
    ["Offline", "ERR_ARC_AGENT_OFFLINE", "the agent of this cluster is Offline since 2026-01-02T03:04:05Z"],
    ["Expired", "ERR_ARC_AGENT_OFFLINE", "the agent of this cluster is Expired since 2026-01-02T03:04:05Z"],
    ["AgentNotInstalled", "ERR_ARC_AGENT_NEVER_STARTED", "connectivityStatus is AgentNotInstalled"],
  ])("that has %s in writing is believed", async (status, code, detail) => {
    arm.connectivityStatus = status;
    const connectivity = await fetchConnectivity(client(), cluster);
    expect(() => refuseUnlessReachable(connectivity)).toThrow(expect.objectContaining({ code, detail }));
  });

  it.each(["Connected", "Connecting", "SomethingNew"])("that says %s does not stand in the way", (status) => {
    expect(() => refuseUnlessReachable({ status, lastSeen: undefined })).not.toThrow();
  });

  describe("as a cloud", () => {
    it.each([
      ["AzureCloud", "https://management.azure.com/", "https://login.microsoftonline.com/"],
      ["AzureUSGovernment", "https://management.usgovcloudapi.net/", "https://login.microsoftonline.us/"],
      [
        "AzureChinaCloud",
        "https://management.chinacloudapi.cn/",
        "https://login.partner.microsoftonline.cn/",
      ],
    ])("%s is known by name", async (name, resourceManager, authority) => {
      const cloud = await resolveCloud(name);
      expect([cloud.resourceManager.href, cloud.authority.href]).toEqual([resourceManager, authority]);
      expect(cloud.resourceManagerScope).toBe(`${resourceManager}.default`);
      expect(cloud.endpoints).toBeUndefined();
    });

    it("another is known by its endpoint's metadata", async () => {
      expect(await resolveCloud(arm.url)).toEqual({
        arcProxyName: "TestCloud",
        resourceManager: new URL(arm.url),
        resourceManagerScope: "https://management.azure.com/.default",
        authority: new URL(entra.url),
        assertionAudience: "api://AzureADTokenExchange",
        endpoints: {
          resourceManagerEndpoint: arm.url,
          serviceBusEndpointSuffix: "servicebus.test",
          activeDirectoryEndpoint: entra.url,
        },
      });
    });

    it("one that cannot be read is told", async () => {
      arm.service.outage = { status: 200, body: { name: "x" } };
      await expect(resolveCloud(arm.url)).rejects.toMatchObject({ code: "ERR_ARM_ANSWER" });
      arm.service.outage = { status: 503 };
      await expect(resolveCloud(arm.url)).rejects.toMatchObject({ code: "ERR_ARM_UNREACHABLE" });
      arm.service.outage = "hangs-up";
      await expect(resolveCloud(arm.url)).rejects.toMatchObject({ code: "ERR_ARM_UNREACHABLE" });
    });
  });
});
