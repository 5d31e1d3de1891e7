import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export const cacheFolder = () =>
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "cluster-connect");

/** A folder of the cache that is named by everything it was made from. */
export interface CachedFolder {
  readonly name: string;
  /** Files whose content decides what is made. */
  readonly sources: readonly string[];
  /** Whatever else does: packages, flags, architecture. */
  readonly recipe: unknown;
  readonly make: (folder: string) => Promise<void>;
}

/**
 * The folder, made at the first use. It is filled under another name and renamed when it is complete: a run that was
 * stopped half-way, or another one beside it, never leaves half a folder under the name that counts.
 */
export async function cached({ name, sources, recipe, make }: CachedFolder): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  for (const source of sources) hash.update(readFileSync(source));
  const folder = join(cacheFolder(), `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  const unfinished = mkdtempSync(join(cacheFolder(), "unfinished-"));
  try {
    await make(unfinished);
    if (!existsSync(folder)) renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
