import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout";

/** A bridge and no address translation: the machine has a route to the pods, so it sees who calls. */
export function writeNetworkConfiguration({ folder, addresses }: Layout): string {
  const directory = join(folder, "cni");
  mkdirSync(directory);
  const configuration = {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: false,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: addresses.pods }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
    ],
  };
  writeFileSync(join(directory, "10-pods.conflist"), JSON.stringify(configuration));
  return directory;
}
