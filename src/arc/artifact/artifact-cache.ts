/** The port behind which fetched programs are kept, and the one that is a plain folder. */
import { randomBytes } from "node:crypto";
import { cp, mkdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export interface ArtifactKey {
  /** Such as `arcProxy`. */
  readonly name: string;
  /** A semantic version. */
  readonly version: string;
  /** Such as `linux-amd64`. */
  readonly platform: string;
}

export interface ArtifactCache {
  /** The folder that was stored under that key; undefined when there is none. What lies in it is not to be trusted. */
  find(key: ArtifactKey): Promise<string | undefined>;
  /** Keeps a copy of `folder`, instead of an earlier one. Returns where. */
  store(key: ArtifactKey, folder: string): Promise<string>;
}

export class FolderCache implements ArtifactCache {
  constructor(private readonly root: string) {}

  async find(key: ArtifactKey): Promise<string | undefined> {
    const folder = this.#folderOf(key);
    const found = await stat(folder).catch(() => undefined);
    return found?.isDirectory() === true ? folder : undefined;
  }

  async store(key: ArtifactKey, folder: string): Promise<string> {
    const target = this.#folderOf(key);
    const scratch = `${target}.${randomBytes(6).toString("hex")}`;
    await mkdir(join(target, ".."), { recursive: true, mode: 0o700 });
    try {
      await cp(folder, scratch, { recursive: true });
      await rm(target, { recursive: true, force: true });
      // Another process may have been faster, with the same bytes: what counts is looked at before use.
      await rename(scratch, target).catch(async (error: unknown) => {
        if ((await this.find(key)) === undefined) throw error;
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return target;
  }

  #folderOf = ({ name, version, platform }: ArtifactKey): string => join(this.root, name, version, platform);
}

/** Where a person's programs keep what they can fetch again. */
export function userCacheDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const base =
    platform === "win32"
      ? environment["LOCALAPPDATA"] || join(homedir(), "AppData", "Local")
      : environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "cluster-connect");
}
