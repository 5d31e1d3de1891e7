import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateFiles } from "./certificates";
import type { Component } from "./component";
import { containerdSocket } from "./containerd";
import { writeKubeconfig } from "./kubeconfig";
import { logFile, nodeName, type Layout } from "./layout";

export async function kubelet(layout: Layout): Promise<Component> {
  const { addresses, authority, folder, binaries } = layout;
  const subject = `O=system:nodes, CN=system:node:${nodeName}`;
  const serving = await authority.issue("kubelet", subject, [addresses.node]);
  const kubeconfig = await writeKubeconfig(layout, "kubelet-client", subject);
  const configFile = join(folder, "kubelet.json");
  writeFileSync(configFile, JSON.stringify(configuration(layout, serving), undefined, 2));
  return {
    name: "kubelet",
    argv: [
      binaries.kubelet,
      `--config=${configFile}`,
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${addresses.node}`,
      "--root-dir=/var/lib/kubelet",
      "--cert-dir=/var/lib/kubelet/certificates",
    ],
    logFile: logFile(layout, "kubelet"),
  };
}

function configuration({ folder, addresses, authority, cgroup }: Layout, serving: CertificateFiles) {
  // Nobody whom a pod could ask for a name; the machine's own name servers are out of reach and stay unknown.
  const resolvConf = join(folder, "resolv.conf");
  writeFileSync(resolvConf, "");
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    address: addresses.node,
    tlsCertFile: serving.cert,
    tlsPrivateKeyFile: serving.key,
    authentication: { x509: { clientCAFile: authority.caFile }, anonymous: { enabled: false } },
    resolvConf,
    // Either generation of cgroups. The pods are in this run's own group, and nobody else's limits change.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: cgroup,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    // Otherwise a machine that is short of something would take pods away in the middle of a test.
    evictionHard: { "memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    volumePluginDir: "/var/lib/kubelet/volume-plugins",
    // Mounted tokens are looked at this often; the usual minute is longer than most tests.
    syncFrequency: "10s",
    nodeStatusUpdateFrequency: "2s",
  };
}
