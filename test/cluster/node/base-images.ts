import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeArchive, type Image } from "./archive";
import { mustRun } from "./command";
import { pauseImage } from "./containerd";

export const busyboxImage = "localhost/busybox:1";

/** busybox with a link for each of its programs, `sh`, `tar` and `nc` among them. */
const busybox: Image = {
  name: busyboxImage,
  config: { Cmd: ["sh"], Env: ["PATH=/bin"] },
  async fill(root) {
    for (const folder of ["bin", "etc", "tmp", "proc", "sys", "dev"]) mkdirSync(join(root, folder));
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    const names = (await mustRun("/bin/busybox", ["--list"])).trim().split("\n");
    for (const name of names) {
      if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
    }
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
  },
};

/** What holds a pod's namespaces open: it has to do nothing, for ever. */
const pause: Image = {
  name: pauseImage,
  config: { Cmd: ["/busybox", "tail", "-f", "/dev/null"] },
  fill(root) {
    copyFileSync("/bin/busybox", join(root, "busybox"));
  },
};

export const writeBaseImages = (file: string): Promise<void> => writeArchive(file, [busybox, pause]);
