import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseAddresses } from "./addresses";
import { apiserver, auditLog } from "./apiserver";
import { writeBaseImages } from "./base-images";
import { kubernetesVersion, type Binaries } from "./binaries";
import { createAuthority, createSigningKey } from "./certificates";
import { createCgroup, removeCgroup } from "./cgroup";
import { lastLines, startComponent, type Component } from "./component";
import { containerd } from "./containerd";
import { controllerManager } from "./controller-manager";
import { eventually } from "./deadline";
import { etcd } from "./etcd";
import { importImage } from "./import-image";
import { writeKubeconfig } from "./kubeconfig";
import { kubelet } from "./kubelet";
import { logFile, nodeName, type Layout } from "./layout";
import { cgroupPrefix, folderPrefix } from "./leftovers";
import { createNamespaces } from "./namespaces";
import { apiserverReady, canRunPods } from "./readiness";
import { scheduler } from "./scheduler";
import { componentNames, type ComponentName, type NodeState, type RunningComponent } from "./state";

export interface Node {
  readonly state: NodeState;
  /** Ends every process of the node and removes what it left on the machine. */
  stop(): Promise<void>;
}

type Undo = (step: () => unknown) => void;

/** A node that is Ready, with a default service account: pods can be made at once. */
export async function startNode(binaries: Binaries, python: string): Promise<Node> {
  const steps: (() => unknown)[] = [];
  const stop = async () => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    return { state: await bringUp(binaries, python, (step) => steps.push(step)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(binaries: Binaries, python: string, undo: Undo): Promise<NodeState> {
  const layout = await prepare(binaries, undo);
  const { folder, addresses, authority, cgroup } = layout;
  undo(() => eventually("the containers' cgroup removed", 10_000, () => removeCgroup(cgroup)));
  createCgroup(cgroup);
  const namespaces = await createNamespaces(addresses, nodeName);
  undo(() => namespaces.close());
  const kubeconfig = await writeKubeconfig(layout, "admin", "O=system:masters, CN=admin");
  const components = await startAll(layout, namespaces.init, kubeconfig);
  return {
    init: namespaces.init,
    version: kubernetesVersion,
    addresses,
    binaries,
    python,
    folder,
    caFile: authority.caFile,
    kubeconfig,
    auditLog: auditLog(layout),
    components,
  };
}

async function prepare(binaries: Binaries, undo: Undo): Promise<Layout> {
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${String(process.pid)}-`));
  undo(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "logs"));
  return {
    binaries,
    addresses: await chooseAddresses(),
    folder,
    cgroup: `${cgroupPrefix}${String(process.pid)}`,
    authority: await createAuthority(folder),
    serviceAccounts: await createSigningKey(folder),
  };
}

async function startAll(layout: Layout, init: number, kubeconfig: string): Promise<NodeState["components"]> {
  const running: Partial<Record<ComponentName, RunningComponent>> = {};
  const start = async (name: ComponentName, component: Component) => {
    running[name] = { ...component, pid: await startComponent(init, component) };
  };
  const runtime = async () => {
    await start("containerd", containerd(layout));
    const archive = join(layout.folder, "base-images.tar");
    await writeBaseImages(archive);
    await eventually("containerd ready", 20_000, async () => {
      await importImage(init, archive);
      return true as const;
    });
  };
  const controlPlane = async () => {
    await start("etcd", etcd(layout));
    await start("kube-apiserver", await apiserver(layout));
    await apiserverReady(kubeconfig);
    await start("kube-controller-manager", await controllerManager(layout));
    await start("kube-scheduler", await scheduler(layout));
  };
  try {
    await Promise.all([runtime(), controlPlane()]);
    await start("kubelet", await kubelet(layout));
    await canRunPods(kubeconfig);
  } catch (error) {
    throw new Error(`the node did not start${logs(layout)}`, { cause: error });
  }
  return running as NodeState["components"];
}

const logs = (layout: Layout) =>
  componentNames
    .map((name) => [name, lastLines(logFile(layout, name), 5)])
    .filter(([, lines]) => lines !== "")
    .map(([name, lines]) => `\n--- ${name}\n${lines}`)
    .join("");
