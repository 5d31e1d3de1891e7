import { createHash } from "node:crypto";

/**
 * The TLS server name of a cluster's auth proxy. Both ends compute it from the name that they were configured with
 * and compare; it is never taken from the wire, else whoever writes the wire would choose whom kubectl trusts.
 */
export function serverNameOf(cluster: string): string {
  const digest = createHash("sha256").update(cluster, "utf8").digest("hex");
  return `${digest.slice(0, 32)}.cluster-connect.internal`;
}
