/**
 * A CI job that reaches the node's cluster through Azure Arc: Azure is simulated, and so is arcProxy, which goes on
 * through this project's relay, agent and auth proxy. All that is issued is real, and is checked: the relay takes
 * Azure's signature, the auth proxy takes Entra's token, bound or not, for Arc's server application alone.
 */
import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import { AzureForJobs } from "../../support/azure/azure-job";
import { arcServerAppId, objectId } from "../../support/azure/entra";
import type { CiJob, StepResult } from "../../support/ci-job";
import type { CiUnderTest } from "../../support/ci-systems";
import {
  attachNode,
  serviceAccountIssuer,
  type ClusterNode,
  type CommandOptions,
  type CommandResult,
} from "../node";
import { createRelease, importProductImage, type AgentRelease } from "./agent-release";
import { startRelayProcess, type RelayProcess } from "./relay";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whom the cluster takes the application for. */
export const arcCaller = objectId;

const relayPath = `microsoft.kubernetes/connectedclusters/${"c".repeat(64)}`;
const sendKey = "s".repeat(44);

export interface ArcJob {
  readonly node: ClusterNode;
  readonly release: AgentRelease;
  readonly world: AzureForJobs;
  readonly job: CiJob;
  readonly main: StepResult;
  readonly kubeconfig: string;
  kubectl(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Like `kubectl`, and throws unless it exits 0. */
  must(...args: string[]): Promise<string>;
  post(): Promise<StepResult>;
  close(): Promise<void>;
}

/** Lives, in seconds, of the token for the cluster and of the relay's credential. */
export interface ArcLives {
  readonly token: number;
  readonly relay: number;
}

export async function startArcJob(ci: CiUnderTest, namespace: string, lives: ArcLives): Promise<ArcJob> {
  const node = attachNode();
  await importProductImage(node);
  const folder = mkdtempSync(join(tmpdir(), "arc-job-"));
  const release = await createRelease(node, namespace);
  const relay = await startRelay(node, folder, `system:serviceaccount:${namespace}:${release.fullName}`);
  const world = await AzureForJobs.start({
    arcProxy: {
      upstream: { kind: "tunnel", relayUrl: relay.url, relayCaPem: relay.caPem, cluster: relayPath },
    },
    entra: { lifetimeSeconds: lives.token },
    arm: {
      relayLifetimeSeconds: lives.relay,
      // The agent has registered the name without its last part.
      hybridConnectionName: `${relayPath}/1631185383340987904`,
      createToken: (_name, expirationTime) =>
        createSasToken({
          relay: new URL(relay.url),
          entity: relayPath,
          keyName: "azure",
          key: sendKey,
          lifetimeMs: expirationTime * 1_000 - Date.now(),
        }),
    },
  });
  const { entra } = world.azure;
  await release.deploy({
    cluster: relayPath,
    relay: { url: relay.url, ca: relay.caPem },
    authentication: {
      jwt: [
        {
          // Loopback here is not the pod's: the keys travel in the configuration.
          issuer: { url: entra.issuer, audiences: [arcServerAppId], jwks: await entra.jwks() },
          claimMappings: { username: { claim: "oid", prefix: "" } },
        },
      ],
    },
  });
  const job = await world.startJob(ci);
  const main = await job.run("connect", ci.main, { ...world.inputs(ci), timeout: "30s" });
  const kubeconfig = job.environment["KUBECONFIG"] ?? "";
  const kubectl: ArcJob["kubectl"] = (args, { env, ...rest } = {}) =>
    node.kubectl(args, { ...rest, env: { KUBECONFIG: kubeconfig, ...env } });
  return {
    node,
    release,
    world,
    job,
    main,
    kubeconfig,
    kubectl,
    async must(...args) {
      const { code, stdout, stderr } = await kubectl(args);
      if (code !== 0)
        throw new Error(`kubectl ${args.join(" ").slice(0, 200)}: exit ${String(code)}: ${stderr}`);
      return stdout;
    },
    post: () => job.run("connect", ci.post, {}),
    async close() {
      await world.close();
      await node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=90s"]);
      await relay.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startRelay(node: ClusterNode, folder: string, agent: string): Promise<RelayProcess> {
  const keyFile = join(folder, "azure.key");
  writeFileSync(keyFile, sendKey, { mode: 0o600 });
  return startRelayProcess({
    host: node.state.addresses.host,
    issuers: [{ issuer: { url: serviceAccountIssuer, jwks: await node.serviceAccountKeys() } }],
    clusters: [
      {
        name: relayPath,
        agents: { serviceAccounts: [{ issuer: serviceAccountIssuer, subject: agent }] },
        clients: { keys: [{ name: "azure", keyFile }] },
      },
    ],
  });
}
