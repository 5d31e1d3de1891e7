/** What the parts of the node are made from: read by each, decided once. */
import { join } from "node:path";
import type { Addresses } from "./addresses";
import type { Binaries } from "./binaries";
import type { Authority, CertificateFiles } from "./certificates";

export const nodeName = "node";

export interface Layout {
  readonly binaries: Binaries;
  readonly addresses: Addresses;
  /** A fresh folder of this machine, seen from inside too: certificates, configuration, logs. */
  readonly folder: string;
  readonly authority: Authority;
  readonly serviceAccounts: CertificateFiles;
  /** Holds the containers of this node and of no other; removed with it. */
  readonly cgroup: string;
}

export const logFile = ({ folder }: Pick<Layout, "folder">, name: string) =>
  join(folder, "logs", `${name}.log`);
