import type { Component } from "./component";
import { writeKubeconfig } from "./kubeconfig";
import { logFile, type Layout } from "./layout";

export async function scheduler(layout: Layout): Promise<Component> {
  const name = "kube-scheduler";
  const kubeconfig = await writeKubeconfig(layout, name, "CN=system:kube-scheduler");
  return {
    name,
    argv: [
      layout.binaries[name],
      `--kubeconfig=${kubeconfig}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
    ],
    logFile: logFile(layout, name),
  };
}
