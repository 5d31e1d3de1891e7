/** A CI job that has reached the node's cluster by the shipped action, or the shipped task, through relay and chart, as its own identity. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CiJob, StepResult } from "../../support/ci-job";
import { githubActions, type CiUnderTest } from "../../support/ci-systems";
import { startIssuer, type TestIssuer } from "../../support/issuer";
import {
  attachNode,
  serviceAccountIssuer,
  type ClusterNode,
  type CommandOptions,
  type CommandResult,
} from "../node";
import { createRelease, importProductImage, type AgentRelease } from "./agent-release";
import { startRelayProcess, type RelayProcess } from "./relay";

export const caller = "github:repo:octo/app:environment:production";
const subject = "repo:octo/app:environment:production";
/** What GitHub writes into a token about its job. */
export const jobClaims = { repository: "octo/app", run_id: "4711", workflow: "Deploy" };
/** So short that every longer test sees it renewed. */
export const tokenLifetimeSeconds = 20;

export interface JobInCluster {
  readonly node: ClusterNode;
  readonly relay: RelayProcess;
  readonly release: AgentRelease;
  readonly job: CiJob;
  readonly main: StepResult;
  /** What the job's last main stage exported. */
  readonly kubeconfig: string;
  /** By the kubeconfig that the action exported. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Like `kubectl`, and throws unless it exits 0. */
  must(...args: string[]): Promise<string>;
  /** Runs the action's main stage as step `step`; what it exports is the job's from then on. */
  connect(
    step: string,
    inputs?: Readonly<Record<string, string>>,
    env?: Record<string, string>,
  ): Promise<StepResult>;
  post(step?: string): Promise<StepResult>;
  /** All that its client proxies have logged so far. */
  clientProxyLog(): string;
  /** The last that every process on the way has logged, for whoever has to find out why something failed. */
  evidence(): Promise<string>;
  close(): Promise<void>;
}

export interface JobInClusterOptions {
  /** GitHub's action unless it says otherwise. */
  readonly ci?: CiUnderTest;
  /** Of the runner, for every step: an outbound proxy, say. */
  readonly env?: Record<string, string>;
  /** Of the chart, beside those that every job has. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** Puts the chart into `namespace`, starts relay and issuer, and runs the action's main stage. */
export async function startJobInCluster(
  namespace: string,
  options: JobInClusterOptions = {},
): Promise<JobInCluster> {
  const { ci = githubActions } = options;
  const node = attachNode();
  await importProductImage(node);
  const issuer = await startIssuer({ tls: true });
  const release = await createRelease(node, namespace);
  const relay = await startRelay(node, issuer, `system:serviceaccount:${namespace}:${release.fullName}`);
  await release.deploy({
    cluster: "plant-7",
    relay: { url: relay.url, ca: relay.caPem },
    authentication: {
      jwt: [
        {
          // Loopback here is not the pod's: the keys travel in the configuration.
          issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"], jwks: issuer.jwks() },
          claimMappings: { username: { claim: "sub", prefix: "github:" } },
        },
      ],
    },
    terminationGracePeriodSeconds: 60,
    ...options.values,
  });
  const job = await ci.startJob({
    ...(options.env === undefined ? {} : { env: options.env }),
    mint: (audience) => issuer.mint(jobClaims, { audience, subject, lifetimeSeconds: tokenLifetimeSeconds }),
  });
  const clusterCa = await release.caPin();
  const connect: JobInCluster["connect"] = (step, inputs = {}, env = {}) =>
    job.run(
      step,
      ci.main,
      {
        ...ci.inputs({ relayUrl: relay.url, relayCaPem: relay.caPem, clusterCa }),
        timeout: "30s",
        ...inputs,
      },
      { env },
    );
  const main = await connect("connect");
  const kubeconfig = () => job.environment["KUBECONFIG"] ?? "";
  const kubectl: JobInCluster["kubectl"] = (args, { env, ...rest } = {}) =>
    node.kubectl(args, { ...rest, env: { KUBECONFIG: kubeconfig(), ...env } });
  return {
    node,
    relay,
    release,
    job,
    main,
    get kubeconfig() {
      return kubeconfig();
    },
    kubectl,
    async must(...args) {
      const { code, stdout, stderr } = await kubectl(args);
      if (code !== 0)
        throw new Error(`kubectl ${args.join(" ").slice(0, 200)}: exit ${String(code)}: ${stderr}`);
      return stdout;
    },
    connect,
    post: (step = "connect") => job.run(step, ci.post, {}),
    clientProxyLog: () => clientProxyLog(job.temp),
    async evidence() {
      const ofPod = (...args: string[]) =>
        node.kubectl(["--namespace", namespace, ...args]).then(({ stdout, stderr }) => stdout + stderr);
      const containers = ["agent", "auth-proxy"].flatMap((container) => [
        ["logs", `deployment/${release.fullName}`, "-c", container, "--tail=25"],
        ["logs", `deployment/${release.fullName}`, "-c", container, "--tail=10", "--previous"],
      ]);
      const logs = await Promise.all([
        ofPod("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses}"),
        ...containers.map((args) => ofPod(...args)),
      ]);
      return [
        clientProxyLog(job.temp).split("\n").slice(-25).join("\n"),
        relay.log.slice(-15).join("\n"),
        ...logs,
      ].join("\n---\n");
    },
    async close() {
      await job.close();
      await node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=90s"]);
      await relay.close();
      await issuer.close();
    },
  };
}

function clientProxyLog(temp: string): string {
  const files = readdirSync(temp, { recursive: true, encoding: "utf8" });
  const logs = files.filter((name) => name.endsWith("client-proxy.log"));
  return logs.map((name) => readFileSync(join(temp, name), "utf8")).join("");
}

const startRelay = async (node: ClusterNode, issuer: TestIssuer, agent: string): Promise<RelayProcess> =>
  startRelayProcess({
    host: node.state.addresses.host,
    issuers: [
      { issuer: { url: serviceAccountIssuer, jwks: await node.serviceAccountKeys() } },
      { issuer: { url: issuer.url, jwks: issuer.jwks() } },
    ],
    clusters: [
      {
        name: "plant-7",
        agents: { serviceAccounts: [{ issuer: serviceAccountIssuer, subject: agent }] },
        clients: { allow: [{ issuer: issuer.url, claims: { repository: "octo/app" } }] },
      },
    ],
  });

/** Lets the caller do everything: what it may do is the cluster's own matter, and not what is tested. */
export const callerIsAdmin = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "caller-is-admin" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: caller }],
};

/** A pod of busybox in `namespace`, which is made too. */
export async function startPod(
  node: ClusterNode,
  namespace: string,
  name: string,
  image: string,
  command: string,
) {
  await node.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const deadline = Date.now() + 20_000;
  while ((await node.kubectl(["-n", namespace, "get", "serviceaccount", "default"])).code !== 0) {
    if (Date.now() > deadline) throw new Error("no default service account");
  }
  await node.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image, stdin: true, command: ["sh", "-c", command] }],
    },
  });
  const wait = await node.kubectl([
    "-n",
    namespace,
    "wait",
    "--for=condition=Ready",
    `pod/${name}`,
    "--timeout=40s",
  ]);
  if (wait.code !== 0) throw new Error(wait.stderr);
}
