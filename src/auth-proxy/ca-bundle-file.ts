import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { ClusterConnectError, messageOf } from "../runtime/errors";

/** Hands the CA bundle to the agent: certificates only, readable by all, there as a whole or not at all. */
export async function writeCaBundle(path: string | undefined, pem: string): Promise<void> {
  if (path === undefined) return;
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, pem, { mode: 0o644, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new ClusterConnectError("ERR_AUTH_PROXY_LISTEN", messageOf(error), { cause: error });
  }
}
