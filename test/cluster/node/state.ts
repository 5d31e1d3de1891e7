/** What a running node is, as a file: written by whoever started it, read by the suite in another process. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Addresses } from "./addresses";
import type { Binaries } from "./binaries";
import type { Component } from "./component";

export const componentNames = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "containerd",
  "kubelet",
] as const;
export type ComponentName = (typeof componentNames)[number];

export interface RunningComponent extends Component {
  readonly pid: number;
}

export interface NodeState {
  /** PID 1 of the node, as this machine numbers it. */
  readonly init: number;
  readonly version: string;
  readonly addresses: Addresses;
  readonly binaries: Binaries;
  /** Python with the official client. */
  readonly python: string;
  readonly folder: string;
  readonly caFile: string;
  /** The kubeconfig of an administrator, straight to the apiserver. */
  readonly kubeconfig: string;
  readonly auditLog: string;
  readonly components: Readonly<Record<ComponentName, RunningComponent>>;
}

export const stateVariable = "CLUSTER_CONNECT_NODE_STATE";

export const readState = (file: string): NodeState => JSON.parse(readFileSync(file, "utf8")) as NodeState;

export function writeState(file: string, state: NodeState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state, undefined, 2));
  renameSync(`${file}.new`, file);
}
