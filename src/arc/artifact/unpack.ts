/** Unpacks arcProxy's archive, entry by entry: nothing that is not expected, nowhere but into the given folder. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { ClusterConnectError, messageOf } from "../../runtime/errors";
import { readTar, type TarEntry } from "./tar";

const defaultMaxBytes = 629_145_600;

/** By lower-case name in the archive: how they are named here. They are kept beside the program. */
const licenceFiles: ReadonlyMap<string, string> = new Map([
  ["license.txt", "LICENSE.txt"],
  ["thirdpartynotice.txt", "ThirdPartyNotice.txt"],
]);

export interface UnpackOptions {
  readonly archive: string;
  /** An empty folder. */
  readonly target: string;
  readonly programName: string;
  /** Of everything in the archive, unpacked. */
  readonly maxBytes?: number;
}

/** Throws ERR_ARC_PROXY_INVALID. What it has written until then is the caller's to remove. */
export async function unpack(options: UnpackOptions): Promise<void> {
  const { archive, target, programName, maxBytes = defaultMaxBytes } = options;
  const written = new Set<string>();
  let left = maxBytes;
  const source = createReadStream(archive);
  const gunzip = source.on("error", (error) => gunzip.destroy(error)).pipe(createGunzip());
  try {
    for await (const entry of readTar(gunzip)) {
      left -= entry.bytes;
      if (left < 0) throw new Error(`it unpacks to more than ${String(maxBytes)} bytes`);
      const name = targetName(entry, programName);
      if (name === undefined) continue;
      if (written.has(name)) throw new Error(`it has ${name} twice`);
      written.add(name);
      await write(entry, join(target, name), name === programName ? 0o700 : 0o600);
    }
    if (!written.has(programName)) throw new Error("it holds no program");
  } catch (error) {
    throw new ClusterConnectError("ERR_ARC_PROXY_INVALID", `the archive: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** Files lie in one folder: two components, whose second says what they are. Undefined for that folder itself. */
function targetName(entry: TarEntry, programName: string): string | undefined {
  const components = entry.path.replace(/^\.\//, "").replace(/\/$/, "").split("/");
  const isPlain = components.every(
    (component) => component !== "" && component !== "." && component !== ".." && !/[\\:\0]/.test(component),
  );
  if (entry.kind === "folder" && ((isPlain && components.length === 1) || /^\.?\/?$/.test(entry.path))) {
    return undefined;
  }
  const base = components[1]?.toLowerCase() ?? "";
  const name = base.startsWith("arcproxy") ? programName : licenceFiles.get(base);
  if (entry.kind !== "file" || !isPlain || components.length !== 2 || name === undefined) {
    throw new Error(`it holds ${JSON.stringify(entry.path.slice(0, 200))}`);
  }
  return name;
}

async function write(entry: TarEntry, path: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    for await (const chunk of entry.content()) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}
