import type { Component } from "./component";
import { writeKubeconfig } from "./kubeconfig";
import { logFile, type Layout } from "./layout";

/** Service accounts, the root CA's config maps, deployments, the end of namespaces. */
export async function controllerManager(layout: Layout): Promise<Component> {
  const name = "kube-controller-manager";
  const kubeconfig = await writeKubeconfig(layout, name, "CN=system:kube-controller-manager");
  return {
    name,
    argv: [
      layout.binaries[name],
      `--kubeconfig=${kubeconfig}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      "--use-service-account-credentials",
      `--root-ca-file=${layout.authority.caFile}`,
      `--service-account-private-key-file=${layout.serviceAccounts.key}`,
      // Its own limit on requests costs seconds at the start.
      "--kube-api-qps=500",
      "--kube-api-burst=1000",
    ],
    logFile: logFile(layout, name),
  };
}
