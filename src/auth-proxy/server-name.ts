import { createHash } from "node:crypto";

/** The name that the cluster's leaf certificate carries; each end computes it, none takes it from the wire. */
export function serverNameOf(cluster: string): string {
  return `${createHash("sha256").update(cluster).digest("hex").slice(0, 32)}.cluster-connect.internal`;
}
