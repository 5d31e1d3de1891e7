/**
 * arcProxy, Microsoft's client of the Azure Arc relay, on this machine: given by path, kept from an earlier time, or
 * fetched from Microsoft's registry. It is never redistributed: its licence lies beside it in the archive.
 */
import { access, constants, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../../runtime/errors";
import type { ArtifactCache, ArtifactKey } from "./artifact-cache";
import { digestOf, digestPattern } from "./digest";
import { downloadLayer, type DownloadProgress } from "./download";
import { arcProxyVersion, programName, repositoryOf, targetPlatform } from "./program-name";
import { Registry } from "./registry";
import { unpack } from "./unpack";

export interface ArcProxyProgram {
  readonly path: string;
  /** `sha256:…` of the program's file, to be pasted as `arc-proxy-digest`. */
  readonly digest: string;
  readonly source: "given" | "cached" | "fetched";
}

export interface ProvideOptions {
  readonly cache: ArtifactCache;
  /** An existing folder for what is being fetched; where nothing can be kept, the program stays in it. */
  readonly scratch: string;
  /** A program that is there already; nothing is fetched. */
  readonly path?: string | undefined;
  /** The only digest that the program may have. */
  readonly digest?: string | undefined;
  /** Origin of the registry, or of a mirror of it. */
  readonly registry?: URL | undefined;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Told when what was kept cannot be used and is fetched anew, or when what was fetched cannot be kept. */
  readonly onStale?: (reason: string) => void;
  readonly signal?: AbortSignal;
}

/** The same one for the public cloud and those of the US government and of China. */
const defaultRegistry = new URL("https://mcr.microsoft.com");

const recordFile = "digest.json";
const record = z.object({ digest: z.string().regex(digestPattern) });

/** Throws ERR_ARC_PROXY_PATH, ERR_ARC_PROXY_PLATFORM, ERR_ARC_PROXY_DIGEST, ERR_ARC_PROXY_INVALID or ERR_ARC_REGISTRY_UNREACHABLE. */
export async function provideArcProxy(options: ProvideOptions): Promise<ArcProxyProgram> {
  const { path, digest, cache } = options;
  if (path !== undefined) return { path, digest: await verifyProgram(path, digest), source: "given" };
  const target = targetPlatform();
  const key: ArtifactKey = {
    name: "arcProxy",
    // 1.3.029301 is no semantic version: those have no leading zeros.
    version: arcProxyVersion.replace(/\.0+(?=\d)/g, "."),
    platform: `${target.os}-${target.arch}`,
  };
  const name = programName(target);
  const kept = await cache.find(key);
  if (kept !== undefined) {
    try {
      const program = join(kept, name);
      return { path: program, digest: await verifyKept(kept, program, digest), source: "cached" };
    } catch (error) {
      options.onStale?.(messageOf(error));
    }
  }
  return fetchAndKeep(key, name, options);
}

async function fetchAndKeep(
  key: ArtifactKey,
  name: string,
  options: ProvideOptions,
): Promise<ArcProxyProgram> {
  const folder = await mkdtemp(join(options.scratch, "fetched-"));
  let isInUse = false;
  try {
    const digest = await fetchInto(folder, name, options);
    const unpacked = join(folder, "unpacked");
    const kept = await options.cache.store(key, unpacked).catch((error: unknown) => {
      // It serves this time all the same: the scratch folder is there until then.
      options.onStale?.(`it cannot be kept: ${messageOf(error)}`);
      isInUse = true;
      return unpacked;
    });
    return { path: join(kept, name), digest, source: "fetched" };
  } finally {
    if (!isInUse) await rm(folder, { recursive: true, force: true });
  }
}

/** The program's digest. Throws ERR_ARC_PROXY_PATH or, when it is not `expected`, ERR_ARC_PROXY_DIGEST. */
export async function verifyProgram(path: string, expected: string | undefined): Promise<string> {
  let found: string;
  try {
    found = await digestOf(path);
    await access(path, constants.X_OK);
  } catch (error) {
    throw new ClusterConnectError("ERR_ARC_PROXY_PATH", messageOf(error), { cause: error });
  }
  if (expected === undefined || found === expected) return found;
  throw new ClusterConnectError("ERR_ARC_PROXY_DIGEST", `${path} is ${found}, not ${expected}`);
}

/** What was verified when it was fetched, and is still that. */
async function verifyKept(folder: string, program: string, pinned: string | undefined): Promise<string> {
  const { digest } = record.parse(JSON.parse(await readFile(join(folder, recordFile), "utf8")));
  await verifyProgram(program, digest);
  return verifyProgram(program, pinned);
}

async function fetchInto(folder: string, name: string, options: ProvideOptions): Promise<string> {
  const { registry = defaultRegistry, onProgress, signal, digest: pinned } = options;
  const archive = join(folder, "archive.tar.gz");
  const target = join(folder, "unpacked");
  await downloadLayer({
    registry: new Registry(registry, repositoryOf(targetPlatform()), signal),
    tag: arcProxyVersion,
    target: archive,
    onProgress,
    signal,
  });
  await mkdir(target, { mode: 0o700 });
  await unpack({ archive, target, programName: name });
  const digest = await verifyProgram(join(target, name), pinned);
  await writeFile(join(target, recordFile), JSON.stringify({ digest, version: arcProxyVersion }), {
    mode: 0o600,
  });
  return digest;
}
