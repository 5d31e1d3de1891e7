/**
 * The node's own mount, network, PID, UTS and IPC namespaces. They hang on one process, PID 1 in there: when it ends,
 * the kernel ends every other process inside, and mounts, network devices and routes go with them.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { Addresses } from "./addresses";
import { mustRun } from "./command";
import { eventually } from "./deadline";

export interface Namespaces {
  /** PID 1 of the node, as this machine numbers it. */
  readonly init: number;
  close(): Promise<void>;
}

/** What to put before a command so that it runs in the node. */
export const inside = (init: number): readonly string[] => [
  "nsenter",
  ...["--mount", "--net", "--pid", "--uts", "--ipc"],
  `--target=${String(init)}`,
  "--",
];

export async function createNamespaces(addresses: Addresses, hostname: string): Promise<Namespaces> {
  // tini collects orphans; `cat` ends when this process does, however it does, since its input is a pipe from here.
  const keeper = spawn(
    "unshare",
    [
      ...["--mount", "--net", "--pid", "--uts", "--ipc", "--propagation=private"],
      ...["--fork", "--kill-child", "--mount-proc", "tini", "--", "cat"],
    ],
    // In a session of its own: Ctrl-C is for whoever started all this, who then stops it in order.
    { detached: true, stdio: ["pipe", "ignore", "inherit"] },
  );
  const gone = once(keeper, "exit");
  let init: number | undefined;
  const close = async () => {
    keeper.stdin.destroy();
    await gone;
    // The kernel takes a network namespace apart a moment after its last process.
    await eventually(
      "the cable gone",
      10_000,
      () => !existsSync(`/sys/class/net/${cable(init)}`) || undefined,
    );
  };
  try {
    const found = await eventually("PID 1 of the node", 5_000, () => firstChildOf(keeper.pid));
    init = found;
    await eventually("the node's own /proc", 5_000, () => isProgram(found, "tini"));
    await privateFileSystems(found, hostname);
    await connect(found, addresses);
    return { init: found, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export function firstChildOf(pid: number | undefined): number | undefined {
  const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8").trim();
  return children === "" ? undefined : Number(children.split(" ")[0]);
}

const isProgram = (pid: number, name: string): true | undefined =>
  readFileSync(`/proc/${String(pid)}/comm`, "utf8").trim() === name ? true : undefined;

/**
 * Everything that the node writes lies in memory, under folders that exist on any machine, so that the machine's own
 * are never touched. The kubelet sets some of the machine's sysctls: it is shown copies.
 */
async function privateFileSystems(init: number, hostname: string): Promise<void> {
  await mustRun(...insideShell(init), {
    input: `
      mount -t tmpfs -o mode=755 tmpfs /run
      mkdir /run/cgroup
      mount --rbind /sys/fs/cgroup /run/cgroup
      mount -t sysfs sysfs /sys
      mount --move /run/cgroup /sys/fs/cgroup
      mount -t tmpfs -o mode=755 tmpfs /var/lib
      mount -t tmpfs -o mode=755 tmpfs /var/log
      mkdir /var/lib/kubelet /var/lib/containerd /var/lib/etcd /run/sysctls
      cd /proc/sys
      for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \\
                  kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
        copy=/run/sysctls/$(echo $name | tr / .)
        cat $name > $copy
        mount --bind $copy $name
      done
      mount --make-rshared /
      hostname ${hostname}
    `,
  });
}

const cable = (init: number | undefined) => `cc-${String(init)}`;

/** A cable between this machine and the node, no way further, and the machine's way to the pods. */
async function connect(init: number, { host, node, pods, service }: Addresses): Promise<void> {
  const device = cable(init);
  const ip = (...args: string[]) => mustRun("ip", args);
  await ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", String(init));
  await ip("address", "add", `${host}/30`, "dev", device);
  await ip("link", "set", device, "up");
  await ip("route", "add", pods, "via", node, "dev", device);
  await mustRun(...insideShell(init), {
    input: `
      ip link set lo up
      ip address add ${node}/30 dev eth0
      ip link set eth0 up
      ip address add ${service}/32 dev lo
      echo 1 > /proc/sys/net/ipv4/ip_forward
    `,
  });
}

const insideShell = (init: number): [string, string[]] => {
  const [program = "", ...args] = [...inside(init), "sh", "-e"];
  return [program, args];
};
