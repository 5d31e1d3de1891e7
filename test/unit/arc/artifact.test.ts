import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FolderCache, userCacheDirectory } from "../../../src/arc/artifact/artifact-cache";
import { downloadLayer } from "../../../src/arc/artifact/download";
import { provideArcProxy, type ProvideOptions } from "../../../src/arc/artifact/provide";
import { programName, targetPlatform } from "../../../src/arc/artifact/program-name";
import { Registry } from "../../../src/arc/artifact/registry";
import { unpack } from "../../../src/arc/artifact/unpack";
import type { ClusterConnectError } from "../../../src/runtime/errors";
import { ContainerRegistry } from "../../support/azure/container-registry";
import { createArchive, type ArchiveEntry } from "../../support/azure/tar-archive";

const program = "#!/bin/sh\necho arcProxy\n";
const good: readonly ArchiveEntry[] = [
  { path: "./package/", type: "5" },
  { path: "x", type: "x", content: "30 mtime=1700000000.123456789\n" },
  { path: "package/arcProxy_linux_amd64", content: program },
  { path: "package/LICENSE.txt", content: "licence" },
  { path: "package/ThirdPartyNotice.txt", content: "notice" },
];

describe("arcProxy's artifact", () => {
  let folder: string;
  let registry: ContainerRegistry;
  const start = async (layer: Buffer) => (registry = await ContainerRegistry.start(layer));
  const scratch = () => join(folder, "scratch");
  const options = (more: Partial<ProvideOptions> = {}): ProvideOptions => ({
    cache: new FolderCache(join(folder, "cache")),
    scratch: scratch(),
    registry: new URL(registry.url),
    ...more,
  });
  const failure = (more: Partial<ProvideOptions> = {}) =>
    provideArcProxy(options(more)).then(
      () => {
        throw new Error("it was provided");
      },
      (error: ClusterConnectError) => error,
    );

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "artifact-"));
    mkdirSync(scratch());
    await start(createArchive(good));
  });
  afterEach(async () => {
    expect(registry.violations).toEqual([]);
    expect(readdirSync(scratch())).toEqual([]);
    await registry.close();
    rmSync(folder, { recursive: true });
  });

  it("is fetched with progress, verified, unpacked with its licence, and kept for the next time", async () => {
    const progress: number[] = [];
    const first = await provideArcProxy(
      options({ onProgress: ({ receivedBytes, totalBytes }) => progress.push(receivedBytes / totalBytes) }),
    );
    expect(first.source).toBe("fetched");
    expect(progress.at(-1)).toBe(1);
    expect(execFileSync(first.path, { encoding: "utf8" })).toBe("arcProxy\n");
    expect(statSync(first.path).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(first.path)).sort()).toEqual(
      ["LICENSE.txt", "ThirdPartyNotice.txt", "digest.json", programName(targetPlatform())].sort(),
    );
    const { os, arch } = targetPlatform();
    expect(registry.pulled).toEqual([`${os}/${arch}`]);
    const second = await provideArcProxy(options());
    expect(second).toEqual({ ...first, source: "cached" });
    expect(registry.pulled).toHaveLength(1);
  });

  it("that was changed on the disk is fetched anew, and what was there is not run", async () => {
    const { path } = await provideArcProxy(options());
    writeFileSync(path, "#!/bin/sh\necho evil\n");
    const stale: string[] = [];
    const again = await provideArcProxy(options({ onStale: (reason) => stale.push(reason) }));
    expect(again.source).toBe("fetched");
    expect(stale).toEqual([expect.stringContaining("arcProxy is not what it should be")]);
    expect(readFileSync(again.path, "utf8")).toBe(program);
  });

  it("is pinned by the program's digest, wherever it comes from", async () => {
    const { digest, path } = await provideArcProxy(options());
    expect((await provideArcProxy(options({ digest }))).source).toBe("cached");
    expect((await provideArcProxy(options({ path, digest }))).source).toBe("given");
    const other = `sha256:${"0".repeat(64)}`;
    expect((await failure({ digest: other })).code).toBe("ERR_ARC_PROXY_DIGEST");
    expect((await failure({ path, digest: other })).code).toBe("ERR_ARC_PROXY_DIGEST");
  });

  it("that is given by path is used without any registry, if it can be executed", async () => {
    const path = join(folder, "mine");
    writeFileSync(path, program);
    expect((await failure({ path, registry: new URL("http://127.0.0.1:1") })).code).toBe(
      "ERR_ARC_PROXY_PATH",
    );
    chmodSync(path, 0o755);
    const given = await provideArcProxy(options({ path, registry: new URL("http://127.0.0.1:1") }));
    expect(given).toMatchObject({ path, source: "given" });
    expect((await failure({ path: join(folder, "missing") })).code).toBe("ERR_ARC_PROXY_PATH");
  });

  it("whose connection breaks is fetched again, and given up in the end", async () => {
    registry.faults.truncations = 2;
    expect((await provideArcProxy(options())).source).toBe("fetched");
    const error = await failure({
      cache: new FolderCache(join(folder, "other")),
      registry: new URL("http://127.0.0.1:1"),
    });
    expect(error.code).toBe("ERR_ARC_REGISTRY_UNREACHABLE");
  });

  it.each([
    ["of another digest", { altered: true }, "ERR_ARC_PROXY_DIGEST"],
    ["of two layers", { twoLayers: true }, "ERR_ARC_PROXY_INVALID"],
    ["that redirects for ever", { redirect: "endless" }, "ERR_ARC_REGISTRY_UNREACHABLE"],
  ] as const)("%s is not believed", async (_, faults, code) => {
    Object.assign(registry.faults, faults);
    expect((await failure()).code).toBe(code);
    expect(existsSync(join(folder, "cache"))).toBe(false);
  });

  it("is not larger than its bound", async () => {
    const download = downloadLayer({
      registry: new Registry(new URL(registry.url), "azureconnectivity/proxy/linux/amd64/arc-proxy"),
      tag: "1.3.029301",
      target: join(folder, "archive"),
      maxBytes: 100,
    });
    await expect(download).rejects.toMatchObject({ code: "ERR_ARC_PROXY_INVALID" });
  });

  describe("as an archive", () => {
    const unpacked = async (entries: readonly ArchiveEntry[] | Buffer, maxBytes?: number) => {
      const archive = join(folder, "archive.tar.gz");
      const target = join(folder, "target");
      mkdirSync(target);
      writeFileSync(archive, Buffer.isBuffer(entries) ? entries : createArchive(entries));
      const bound = maxBytes === undefined ? {} : { maxBytes };
      await unpack({ archive, target, programName: "arcProxy", ...bound });
      return readdirSync(target).sort();
    };
    const entry = { path: "package/arcProxy", content: "x" };

    it("by tar itself is read, long files among it", async () => {
      const source = join(folder, "package");
      mkdirSync(source);
      writeFileSync(join(source, "arcProxy"), Buffer.alloc(3_000_001, 7));
      writeFileSync(join(source, "LICENSE.TXT"), "licence");
      const bytes = execFileSync("tar", ["-czf", "-", "-C", folder, "package"], { maxBuffer: 10_000_000 });
      expect(await unpacked(bytes)).toEqual(["LICENSE.txt", "arcProxy"]);
      expect(statSync(join(folder, "target/arcProxy")).size).toBe(3_000_001);
    });

    it.each<[string, readonly ArchiveEntry[] | Buffer]>([
      ["a path that leads outside", [entry, { path: "../arcProxy" }]],
      ["an absolute path", [entry, { path: "/arcProxy" }]],
      ["a path deeper than one folder", [{ path: "a/b/arcProxy" }]],
      ["a file without a folder", [{ path: "arcProxy" }]],
      ["a file that nobody expects", [entry, { path: "package/install.sh" }]],
      ["two programs", [entry, { path: "package/arcProxy2" }]],
      ["a symbolic link", [{ path: "package/arcProxy", type: "2", linkTo: "/bin/sh" }]],
      ["a hard link", [entry, { path: "package/license.txt", type: "1", linkTo: "package/arcProxy" }]],
      ["a kind that nobody knows", [{ path: "package/arcProxy", type: "Z" }]],
      ["a device", [{ path: "package/arcProxy", type: "3" }]],
      ["a path in a pax header", [{ path: "x", type: "x", content: "19 path=../../evil\n" }, entry]],
      ["a long name of GNU's", [{ path: "x", type: "L", content: "../../evil" }, entry]],
      ["a backslash", [{ path: "package\\..\\arcProxy" }]],
      ["no program", [{ path: "package/LICENSE.txt" }]],
      ["nothing", []],
      ["no compression", Buffer.from("plain")],
      ["half of itself", createArchive([{ ...entry, content: Buffer.alloc(100_000) }]).subarray(0, 120)],
    ])("with %s is refused", async (_, entries) => {
      await expect(unpacked(entries)).rejects.toMatchObject({ code: "ERR_ARC_PROXY_INVALID" });
      expect(readdirSync(folder).sort()).toEqual(["archive.tar.gz", "scratch", "target"]);
    });

    it("that unpacks to more than its bound is refused", async () => {
      const bomb = [{ path: "package/arcProxy", content: Buffer.alloc(1_000_000) }];
      await expect(unpacked(bomb, 999_999)).rejects.toMatchObject({ code: "ERR_ARC_PROXY_INVALID" });
    });
  });

  describe("for a platform", () => {
    it.each([
      ["linux", "x64", "linux", "amd64"],
      ["darwin", "arm64", "darwin", "arm64"],
      ["win32", "ia32", "windows", "386"],
    ])("%s on %s is named as Microsoft does", (platform, architecture, os, arch) => {
      expect(targetPlatform(platform, architecture)).toEqual({ os, arch });
    });

    it.each([
      ["darwin", "ia32"],
      ["freebsd", "x64"],
      ["linux", "s390x"],
    ])("that is not built for, %s on %s, is told", (platform, architecture) => {
      expect(() => targetPlatform(platform, architecture)).toThrow(
        expect.objectContaining({ code: "ERR_ARC_PROXY_PLATFORM" }),
      );
    });

    it("is kept where a person's caches are", () => {
      expect(userCacheDirectory({ XDG_CACHE_HOME: "/c" }, "linux")).toBe("/c/cluster-connect");
      expect(userCacheDirectory({ LOCALAPPDATA: "/l" }, "win32")).toBe("/l/cluster-connect");
    });
  });
});
