import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { KeyAndCertificate } from "./certificate-maker";
import type { CertificateStore } from "./certificate-store";

const keyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----\n?/;

/**
 * `ca.pem` and `leaf.pem`, each a private key with its certificate: one file, so that it is there as a whole or
 * not at all. The folder is 0700 when it is made here, the files are always 0600.
 */
export function createDirectoryStore(directory: string): CertificateStore {
  const caPath = join(directory, "ca.pem");
  const leafPath = join(directory, "leaf.pem");
  return {
    place: directory,
    load: () =>
      reporting(directory, async () => {
        const authority = await readPair(caPath);
        if (authority === undefined) return undefined;
        // A missing leaf is no loss: an empty one is replaced like one that is due.
        return { authority, leaf: (await readPair(leafPath)) ?? { certPem: "", keyPem: "" } };
      }),
    create: ({ authority, leaf }) =>
      reporting(directory, async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const isFirst = await writeBeside(caPath, authority, async (temporary) => {
          try {
            // Unlike rename, link fails when the name is taken: of two processes one makes the CA.
            await link(temporary, caPath);
            return true;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
            throw error;
          }
        });
        if (isFirst) await replace(leafPath, leaf);
        return isFirst;
      }),
    replaceLeaf: (leaf) => reporting(directory, () => replace(leafPath, leaf)),
  };
}

function replace(path: string, pair: KeyAndCertificate): Promise<void> {
  return writeBeside(path, pair, (temporary) => rename(temporary, path));
}

async function writeBeside<Result>(
  path: string,
  pair: KeyAndCertificate,
  place: (temporary: string) => Promise<Result>,
): Promise<Result> {
  const temporary = `${path}.${randomUUID()}`;
  const ending = (pem: string) => (pem.endsWith("\n") ? pem : `${pem}\n`);
  try {
    await writeFile(temporary, ending(pair.keyPem) + ending(pair.certPem), { mode: 0o600, flag: "wx" });
    return await place(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readPair(path: string): Promise<KeyAndCertificate | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return { keyPem: keyBlock.exec(text)?.[0] ?? "", certPem: text.replace(keyBlock, "") };
}

async function reporting<Result>(directory: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw new ClusterConnectError("ERR_AUTH_PROXY_CERTIFICATES", `${directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
