/** The chart, installed in the node as somebody would install it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterNode } from "../node";
import { productImage, writeProductImage } from "../node/image";

const repository = join(__dirname, "../../..");
export const chart = join(repository, "deploy/helm/cluster-connect-agent");

let imported: Promise<void> | undefined;

/** Gives the node the image of this checkout's dist/, once a test file. */
export function importProductImage(node: ClusterNode): Promise<void> {
  imported ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "cluster-connect-product-"));
    try {
      const file = join(folder, "image.tar");
      await writeProductImage({ file, dist: join(repository, "dist") });
      await node.importImage(file);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  })();
  return imported;
}

export interface AgentRelease {
  readonly name: string;
  readonly namespace: string;
  /** Objects of the release are named by it. */
  readonly fullName: string;
  /** Installs, or upgrades to, these values and waits until its pods are ready. */
  deploy(values: Readonly<Record<string, unknown>>): Promise<void>;
  /** `sha256:…` of the CA, by the command that the chart's notes tell. */
  caPin(): Promise<string>;
  uninstall(): Promise<void>;
}

/** In a namespace of its own, in which the apiserver admits nothing but restricted pods. */
export async function createRelease(node: ClusterNode, namespace: string): Promise<AgentRelease> {
  const name = "plant";
  const inNamespace = ["--namespace", namespace];
  const must = async (done: ReturnType<ClusterNode["helm"]>) => {
    const { code, stdout, stderr } = await done;
    if (code !== 0) throw new Error(`${stderr}\n${await describe()}`);
    return stdout;
  };
  // Why a pod does not become ready is known to the pod, not to helm.
  const describe = async () => {
    const pods = await node.kubectl([...inNamespace, "get", "pods,events"]);
    const selector = `app.kubernetes.io/instance=${name}`;
    const logs = await node.kubectl([
      ...inNamespace,
      "logs",
      "-l",
      selector,
      "--all-containers",
      "--tail=20",
    ]);
    return `${pods.stdout}\n${logs.stdout}${logs.stderr}`;
  };
  await node.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  });
  return {
    name,
    namespace,
    fullName: `${name}-agent`,
    async deploy(values) {
      const folder = mkdtempSync(join(tmpdir(), "cluster-connect-values-"));
      const file = join(folder, "values.json");
      writeFileSync(file, JSON.stringify({ image: { ...productImage, pullPolicy: "Never" }, ...values }));
      try {
        const wait = ["--wait", "--timeout", "60s"];
        await must(node.helm(["upgrade", "--install", name, chart, ...inNamespace, "-f", file, ...wait]));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    async caPin() {
      const notes = await must(node.helm(["get", "notes", name, ...inNamespace]));
      const command = /echo "sha256:.*"/.exec(notes)?.[0] ?? "false";
      return (await node.shell(command)).trim();
    },
    async uninstall() {
      await must(node.helm(["uninstall", name, ...inNamespace, "--wait", "--timeout", "60s"]));
    },
  };
}
