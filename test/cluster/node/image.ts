/** The product's image, as deploy/Dockerfile describes it, made without a builder: Node, its libraries, dist/. */
import { cpSync, copyFileSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeArchive } from "./archive";
import { mustRun } from "./command";

export const productImage = { repository: "localhost/cluster-connect", tag: "test" } as const;

export interface ProductImageOptions {
  /** Where the archive is written. */
  readonly file: string;
  readonly dist: string;
  /** The Node that runs in the image; this process's own unless told. */
  readonly nodeBinary?: string;
}

export async function writeProductImage(options: ProductImageOptions): Promise<void> {
  const nodeBinary = options.nodeBinary ?? process.execPath;
  await writeArchive(options.file, [
    {
      name: `${productImage.repository}:${productImage.tag}`,
      config: {
        Cmd: ["node", "/app/cli/index.js", "--help"],
        Env: ["PATH=/usr/local/bin:/usr/bin:/bin", "NODE_ENV=production"],
        User: "10001:10001",
        WorkingDir: "/app",
      },
      fill: (root) => fill(root, options.dist, nodeBinary),
    },
  ]);
}

async function fill(root: string, dist: string, nodeBinary: string): Promise<void> {
  for (const folder of ["app", "etc", "proc", "sys", "dev", "run", "tmp", "usr/local/bin"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  copyFileSync(realpathSync(nodeBinary), join(root, "usr/local/bin/node"));
  for (const library of await librariesOf(nodeBinary)) {
    // Under the name by which the loader asks for it, whatever it is a link to here.
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
  writeFileSync(join(root, "etc/passwd"), "cluster-connect:x:10001:10001::/app:/sbin/nologin\n");
  writeFileSync(join(root, "etc/group"), "cluster-connect:x:10001:\n");
  cpSync(dist, join(root, "app"), { recursive: true });
}

/** Every absolute path that the dynamic loader names for a program, the loader's own among them. */
async function librariesOf(program: string): Promise<string[]> {
  const lines = await mustRun("ldd", [program]);
  return [...lines.matchAll(/(?:^|=>)\s*(\/\S+)/gm)].map(([, path = ""]) => path);
}
