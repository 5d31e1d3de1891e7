/** Images without a registry and without a builder: a folder becomes an archive that a runtime can import. */
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { mustRun } from "./command";

export interface Image {
  readonly name: string;
  /** Fills an empty folder with the image's file system. */
  readonly fill: (root: string) => Promise<void> | void;
  readonly config: {
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly User?: string;
    readonly WorkingDir?: string;
  };
}

/** Writes one archive with the given images, in the form that `docker save` made common. */
export async function writeArchive(file: string, images: readonly Image[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "cluster-connect-image-"));
  try {
    const content = join(scratch, "content");
    await mustRun("mkdir", [content]);
    const manifest = [];
    for (const [index, image] of images.entries()) {
      manifest.push(await addImage(content, join(scratch, `root-${String(index)}`), image));
    }
    writeFileSync(join(content, "manifest.json"), JSON.stringify(manifest));
    await mustRun("tar", ["-cf", file, "-C", content, "."]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function addImage(content: string, root: string, { name, fill, config }: Image) {
  await mustRun("mkdir", [root]);
  await fill(root);
  const unnamed = join(content, "layer.tar");
  // Everything belongs to root and has one time: the same files give the same image.
  const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await mustRun("tar", [...plain, "-cf", unnamed, "-C", root, "."]);
  const layer = await digest(unnamed);
  renameSync(unnamed, join(content, `${layer}.tar`));
  const description = JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
  });
  const id = createHash("sha256").update(description).digest("hex");
  writeFileSync(join(content, `${id}.json`), description);
  return { Config: `${id}.json`, RepoTags: [name], Layers: [`${layer}.tar`] };
}

async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
