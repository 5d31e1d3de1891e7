import { mustRun } from "./command";
import { containerdSocket } from "./containerd";
import { inside } from "./namespaces";

/** Gives the node's runtime the images of an archive, under the names the archive has for them. */
export async function importImage(init: number, archive: string): Promise<void> {
  const [program = "", ...enter] = inside(init);
  await mustRun(program, [
    ...enter,
    ...["ctr", "--address", containerdSocket, "--namespace", "k8s.io", "images", "import", archive],
  ]);
}
