/** The CI systems whose shipped bundles the end-to-end suites run, each in the way that is best for it. */
import { nameOn } from "../../src/ci/system-names";
import type { CiSystem } from "../../src/ci/inputs";
import { bundle, nodes } from "./bundle-process";
import type { CiJob, JobOptions } from "./ci-job";
import { connectionId } from "./fake-agent/identity-endpoints";
import { AgentJob } from "./fake-agent/job";
import { Job } from "./fake-runner/job";
import { cluster, type Stack } from "./stack";

export interface CiUnderTest {
  readonly system: CiSystem;
  readonly main: string;
  readonly post: string;
  startJob(options: JobOptions): Promise<CiJob>;
  /** Inputs that reach the cluster of `stack`, by GitHub's names. */
  inputs(stack: ReachableCluster): Record<string, string>;
  /** The input that makes a token's audience another one. */
  audience(side: "relay" | "cluster", audience: string): Record<string, string>;
  /** Inputs that take the relay's key instead of its token; the cluster's token is what it is otherwise. */
  withKey(name: string, key: string): Record<string, string>;
  /** An input's name as the system's users write it. */
  nameOf(input: string): string;
}

/** What a job has to know of the way in. */
export type ReachableCluster = Pick<Stack, "relayUrl" | "relayCaPem" | "clusterCa">;

const common = (stack: ReachableCluster) => ({
  "cluster-name": cluster,
  "relay-url": stack.relayUrl,
  "relay-ca": stack.relayCaPem,
  "cluster-ca": stack.clusterCa,
  timeout: "10s",
});

export const githubActions: CiUnderTest = {
  system: "github",
  main: bundle("github-main"),
  post: bundle("github-post"),
  startJob: (options) => Job.start(options),
  inputs: common,
  audience: (side, audience) => ({ [`${side}-audience`]: audience }),
  withKey: (name, key) => ({ "relay-key-name": name, "relay-key": key }),
  nameOf: (input) => input,
};

/** With two tokens of Microsoft Entra: Azure DevOps' own would be one for both. */
export const azurePipelines: CiUnderTest = {
  system: "azure-pipelines",
  main: bundle("azure-main"),
  post: bundle("azure-post"),
  startJob: (options) => AgentJob.start(options),
  inputs: (stack) => ({
    ...common(stack),
    "azure-subscription": connectionId,
    "relay-scope": `${stack.relayUrl}/.default`,
    "cluster-scope": `cluster-connect/${cluster}/.default`,
  }),
  audience: (side, audience) => ({ [`${side}-scope`]: `${audience}/.default` }),
  withKey: (name, key) => ({ "relay-scope": "", "relay-key-name": name, "relay-key": key }),
  nameOf: (input) => nameOn("azure-pipelines", input),
};

const named = [
  ["the action", githubActions],
  ["the task", azurePipelines],
] as const;

/** For `describe.each`: every CI system on every runtime. */
export const systemsAndNodes = named.flatMap(([name, ci]) =>
  nodes.map(([nodeName, node]) => [name, nodeName, ci, node] as const),
);

export const systems = named;
