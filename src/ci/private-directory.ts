/** The folder that holds kubeconfig and credential: for nobody else on the machine. */
import { mkdir, rm } from "node:fs/promises";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { thisMachine, type ProcessTable } from "./process-table";

/**
 * Makes a fresh folder of mode 0700. Mode bits mean nothing on Windows, where it inherits what its parent grants: there
 * the grants are replaced by one, to this process's own account. Throws ERR_CI_START_FAILED, and leaves no folder then.
 */
export async function makePrivateDirectory(path: string, table: ProcessTable = thisMachine): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (table.platform !== "win32") return;
  try {
    // By its SID: names are translated, and a service's account has none that icacls takes.
    const sid = /S-1-[\d-]+/.exec(table.run("whoami.exe", ["/user", "/fo", "csv", "/nh"]))?.[0];
    if (sid === undefined) throw new Error("whoami names no SID");
    table.run("icacls.exe", [path, "/inheritance:r", "/grant:r", `*${sid}:(OI)(CI)F`]);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    const detail = `the folder ${path} cannot be made private: ${messageOf(error)}`;
    throw new ClusterConnectError("ERR_CI_START_FAILED", detail, { cause: error });
  }
}
