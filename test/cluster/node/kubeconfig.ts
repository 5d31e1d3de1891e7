import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout";

/** Writes a kubeconfig that needs no other file, for a certificate with the given subject. */
export async function writeKubeconfig(layout: Layout, name: string, subject: string): Promise<string> {
  const { folder, authority, addresses } = layout;
  const { cert, key } = await authority.issue(name, subject);
  const encoded = (file: string) => readFileSync(file).toString("base64");
  const file = join(folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "node",
        cluster: {
          server: `https://${addresses.node}`,
          "certificate-authority-data": encoded(authority.caFile),
        },
      },
    ],
    users: [{ name, user: { "client-certificate-data": encoded(cert), "client-key-data": encoded(key) } }],
    contexts: [{ name, context: { cluster: "node", user: name } }],
    "current-context": name,
  };
  writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}
