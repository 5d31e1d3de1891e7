import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { objectId } from "../support/azure/entra";
import { useAzureArc } from "../support/azure/use-azure-arc";
import { systems } from "../support/ci-systems";

describe.each(systems)("%s that cannot connect through Azure Arc", (_name, ci) => {
  const { main } = ci;
  const arc = useAzureArc(ci);

  it.each<[string, () => void, Record<string, string>, string, RegExp]>([
    [
      "the role is missing",
      () => arc.world.azure.arm.actions.clear(),
      {},
      "ERR_ARC_ROLE_MISSING",
      /assign "Azure Arc Enabled Kubernetes Cluster User Role" at \/subscriptions\//,
    ],
    [
      "there is no such cluster",
      () => undefined,
      { "cluster-name": "plant-9" },
      "ERR_ARC_CLUSTER_NOT_FOUND",
      /plant-9/,
    ],
    [
      "there is no such group",
      () => undefined,
      { "resource-group": "other" },
      "ERR_ARC_GROUP_NOT_FOUND",
      /other/,
    ],
    [
      "no agent ever came up",
      () => void (arc.world.azure.arm.agent = "never"),
      {},
      "ERR_ARC_AGENT_NEVER_STARTED",
      /Hybrid connection/,
    ],
    [
      "the agent is offline",
      () => void (arc.world.azure.arm.connectivityStatus = "Offline"),
      {},
      "ERR_ARC_AGENT_OFFLINE",
      /Offline since 2026-01-02/,
    ],
    [
      "no agent is connected",
      () => void (arc.world.azure.arm.agent = "gone"),
      { timeout: "3s" },
      "ERR_ARC_AGENT_NOT_CONNECTED",
      /gave up after 3 s/,
    ],
    [
      "the cluster refuses the identity",
      () => void (arc.world.azure.arcProxy.faults = { clusterStatus: 401 }),
      {},
      "ERR_ARC_CLUSTER_TOKEN_REFUSED",
      new RegExp(`oid ${objectId}, upn none`),
    ],
    [
      "the identity has no rights",
      () => void (arc.world.azure.arcProxy.faults = { clusterStatus: 403 }),
      {},
      "ERR_ARC_CLUSTER_FORBIDDEN",
      new RegExp(`oid ${objectId}, upn none`),
    ],
    [
      "a policy blocks it",
      () => void (arc.world.azure.entra.refusal = 53_003),
      {},
      "ERR_ENTRA_CONDITIONAL_ACCESS",
      /AADSTS53003/,
    ],
    [
      "no federated credential fits",
      () => void (arc.world.assertion = { subject: "repo:octo/app:ref:refs/heads/x" }),
      {},
      "ERR_ENTRA_FEDERATION",
      /issuer "http.+", subject "repo:octo\/app:ref:refs\/heads\/x", audience "api:\/\/AzureADTokenExchange"/,
    ],
    [
      "arcProxy does not start",
      () => void (arc.world.azure.arcProxy.faults = { exitAtStart: 9 }),
      {},
      "ERR_ARC_PROXY_START",
      /exit code 9; its last words: panic/,
    ],
    [
      "an input is wrong",
      () => undefined,
      { "subscription-id": "mine" },
      "ERR_CI_INPUT",
      /subscription.?[iI]d is "mine"/,
    ],
  ])("fails when %s, says so once, and leaves nothing", async (_, arrange, changes, code, words) => {
    arrange();
    const result = await arc.job.run("one", main, arc.inputs(changes));
    expect(result.result).toBe("failed");
    expect(result.errors()).toEqual([expect.stringContaining(`(${code})`)]);
    expect(result.errors()[0]).toMatch(words);
    expect(result.errors()[0]).toMatch(/\nWhere: .+\. Likely cause: .+\nWhat to do \(.+\): .+/s);
    arc.expectNothingLeft();
    expect(arc.job.environment["KUBECONFIG"]).toBeUndefined();
  });

  it.each([
    ["is altered on the way", { altered: true }, "ERR_ARC_PROXY_DIGEST"],
    ["is to come without TLS", { redirect: "insecure" }, "ERR_ARC_REGISTRY_UNREACHABLE"],
  ] as const)("runs no arcProxy that %s", async (_, faults, code) => {
    rmSync(join(arc.job.folder, "_tool"), { recursive: true, force: true });
    Object.assign(arc.world.azure.registry.faults, faults);
    const before = arc.world.azure.arcProxy.pids.length;
    const result = await arc.job.run("one", main, arc.inputs());
    expect(result.errors()).toEqual([expect.stringContaining(`(${code})`)]);
    expect(arc.world.azure.arcProxy.pids).toHaveLength(before);
    expect(existsSync(join(arc.job.folder, "_tool/arcProxy"))).toBe(false);
    arc.expectNothingLeft();
  });
});
