import { randomBytes } from "node:crypto";
import { link, rename, rm, writeFile } from "node:fs/promises";

/** Replaces a file in one step: 0600 from its first byte, and never half written for whoever reads it meanwhile. */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  const scratch = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    // `wx`: a file or link that somebody else has put there is an error, not a place to write a secret to.
    await writeFile(scratch, text, { mode: 0o600, flag: "wx" });
    await rename(scratch, path);
  } catch (error) {
    await rm(scratch, { force: true });
    throw error;
  }
}

/** Makes a file that is whole from the moment it is there; whatever has its name already is an error. */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  const scratch = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(scratch, text, { mode: 0o600, flag: "wx" });
    await link(scratch, path);
  } finally {
    await rm(scratch, { force: true });
  }
}
