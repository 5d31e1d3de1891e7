/** One container of the chart's pod, killed as the kernel would, and back by the kubelet's hand. */
import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "../node";
import type { JobInCluster } from "./job-in-cluster";

/** Kills its process at once; resolves when that is gone. */
export async function killContainer(job: JobInCluster, name: ContainerName): Promise<void> {
  const { uid } = await podOf(job);
  const [pid] = processesIn(uid, name);
  if (pid === undefined) throw new Error(`no process of ${name} in pod ${uid}`);
  process.kill(pid, "SIGKILL");
  await eventually(`the end of ${name}`, 5_000, () => !processesIn(uid, name).includes(pid) || undefined);
}

/** Resolves when it has been started again and says that it is ready. */
export async function containerReady(
  job: JobInCluster,
  name: ContainerName,
  restarts: number,
): Promise<void> {
  await eventually(`${name} ready again`, 60_000, async () => {
    const { containers } = await podOf(job);
    const container = containers.find((status) => status.name === name);
    return (container?.ready === true && container.restartCount >= restarts) || undefined;
  });
}

/** A new pod for the old: the kubelet keeps a container waiting longer each time that it ends in one pod. */
export async function replacePod(job: JobInCluster): Promise<void> {
  const { uid } = await podOf(job);
  const pods = ["--namespace", job.release.namespace, "delete", "pods", "--all", "--wait=true"];
  await job.node.kubectl(pods);
  await eventually("the pod after it", 60_000, async () => {
    const { uid: present, containers } = await podOf(job);
    return (
      (present !== uid && containers.length === 2 && containers.every(({ ready }) => ready)) || undefined
    );
  });
}

export type ContainerName = "agent" | "auth-proxy";

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
}

async function podOf({
  node,
  release,
}: JobInCluster): Promise<{ uid: string; containers: ContainerStatus[] }> {
  const { stdout } = await node.kubectl(["--namespace", release.namespace, "get", "pods", "-o", "json"]);
  const { items } = JSON.parse(stdout) as {
    items: { metadata: { uid: string }; status: { containerStatuses?: ContainerStatus[] } }[];
  };
  const [pod] = items;
  if (pod === undefined || items.length > 1) throw new Error(`${String(items.length)} pods instead of one`);
  return { uid: pod.metadata.uid, containers: pod.status.containerStatuses ?? [] };
}

/** The node's processes are this machine's too: each is told by its cgroup, which names the pod. */
function processesIn(podUid: string, container: ContainerName): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const cgroup = readOf(pid, "cgroup").replaceAll("_", "-");
      return cgroup.includes(podUid) && readOf(pid, "cmdline").split("\0").includes(container);
    })
    .map(Number);
}

function readOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
