import { adminGet } from "./admin-request";
import { eventually } from "./deadline";
import { nodeName } from "./layout";

export async function apiserverReady(kubeconfig: string, timeoutMs = 60_000): Promise<void> {
  await eventually("the apiserver ready", timeoutMs, async () => {
    const { status, body } = await adminGet(kubeconfig, "/readyz?verbose");
    if (status === 200) return true;
    throw new Error(body);
  });
}

export async function canRunPods(kubeconfig: string): Promise<void> {
  const found = async (path: string) => {
    const { status, body } = await adminGet(kubeconfig, path);
    if (status !== 200) throw new Error(body);
    return JSON.parse(body) as { status?: { conditions?: { type: string; status: string }[] } };
  };
  await eventually("the node Ready", 60_000, async () => {
    const { status } = await found(`/api/v1/nodes/${nodeName}`);
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    if (ready?.status === "True") return true;
    throw new Error(JSON.stringify(ready));
  });
  // Ready may be what a kubelet said that is gone by now: this one answers.
  await eventually("the kubelet serving", 30_000, async () => {
    const { status, body } = await adminGet(kubeconfig, `/api/v1/nodes/${nodeName}/proxy/healthz`);
    if (status === 200) return true;
    throw new Error(body);
  });
  await eventually("the default service account", 30_000, () =>
    found("/api/v1/namespaces/default/serviceaccounts/default"),
  );
  await eventually("the root CA in the default namespace", 30_000, () =>
    found("/api/v1/namespaces/default/configmaps/kube-root-ca.crt"),
  );
}
