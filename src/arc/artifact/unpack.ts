/** Unpacks arcProxy's archive, entry by entry: nothing that is not expected, nowhere but into the given folder. */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Parser } from "tar/parse";
import type { ReadEntry } from "tar/read-entry";
import { ClusterConnectError, messageOf } from "../../runtime/errors";

const defaultMaxBytes = 629_145_600;

/** By lower-case name in the archive: how they are named here. They are kept beside the program. */
const licenceFiles: ReadonlyMap<string, string> = new Map([
  ["license.txt", "LICENSE.txt"],
  ["thirdpartynotice.txt", "ThirdPartyNotice.txt"],
]);

const fileTypes: ReadonlySet<string> = new Set(["File", "OldFile"]);

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
  const accept = async (entry: ReadEntry): Promise<void> => {
    left -= entry.size;
    if (left < 0) throw new Error(`it unpacks to more than ${String(maxBytes)} bytes`);
    const name = targetName(entry, programName);
    if (name === undefined) return void entry.resume();
    if (written.has(name)) throw new Error(`it has ${name} twice`);
    written.add(name);
    const mode = name === programName ? 0o700 : 0o600;
    await pipeline(entry, createWriteStream(join(target, name), { flags: "wx", mode }));
  };
  try {
    await eachEntry(archive, accept);
    if (!written.has(programName)) throw new Error("it holds no program");
  } catch (error) {
    throw new ClusterConnectError("ERR_ARC_PROXY_INVALID", `the archive: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** In their order, each once the one before has been read. Rejects with the first failure, the archive's or `accept`'s. */
async function eachEntry(archive: string, accept: (entry: ReadEntry) => Promise<void>): Promise<void> {
  const source = createReadStream(archive);
  const accepted: Promise<void>[] = [];
  const read = new Promise<void>((resolve, reject) => {
    const parser = new Parser({ strict: true });
    parser.on("entry", (entry: ReadEntry) => {
      const accepting = accept(entry);
      accepting.catch(reject);
      accepted.push(accepting);
    });
    parser.on("ignoredEntry", ({ path }: ReadEntry) => reject(unexpected(path)));
    parser.on("error", reject).on("end", resolve);
    source.on("error", reject).pipe(parser);
  });
  try {
    await read;
    await Promise.all(accepted);
  } finally {
    source.destroy();
  }
}

const unexpected = (path: string): Error => new Error(`it holds ${JSON.stringify(path.slice(0, 200))}`);

/** Files lie in one folder: two components, whose second says what they are. Undefined for that folder itself. */
function targetName(entry: ReadEntry, programName: string): string | undefined {
  const components = entry.path.replace(/^\.\//, "").replace(/\/$/, "").split("/");
  const isPlain = components.every(
    (component) => component !== "" && component !== "." && component !== ".." && !/[\\:\0]/.test(component),
  );
  if (entry.type === "Directory" && ((isPlain && components.length === 1) || /^\.?\/?$/.test(entry.path))) {
    return undefined;
  }
  const base = components[1]?.toLowerCase() ?? "";
  const name = base.startsWith("arcproxy") ? programName : licenceFiles.get(base);
  if (!fileTypes.has(entry.type) || !isPlain || components.length !== 2 || name === undefined) {
    throw unexpected(entry.path);
  }
  return name;
}
