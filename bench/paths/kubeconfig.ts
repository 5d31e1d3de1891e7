import { readFileSync, writeFileSync } from "node:fs";
import { parse, stringify } from "yaml";

interface Kubeconfig {
  readonly clusters: { readonly cluster: { readonly "certificate-authority-data": string } }[];
  readonly users: { readonly name: string; readonly user: object }[];
}

const read = (path: string) => parse(readFileSync(path, "utf8")) as Kubeconfig;

/** PEM of the CAs that the client proxy's kubeconfig trusts. */
export function caOf(path: string): string {
  const data = read(path).clusters[0]?.cluster["certificate-authority-data"] ?? "";
  return Buffer.from(data, "base64").toString();
}

/** The same kubeconfig with a token in the place of the command that prints one. */
export function writeWithToken(from: string, to: string, token: string): void {
  const kubeconfig = read(from);
  const users = kubeconfig.users.map(({ name }) => ({ name, user: { token } }));
  writeFileSync(to, stringify({ ...kubeconfig, users }), { mode: 0o600 });
}
