import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { mergeKubeconfig, renderKubeconfig } from "../../../src/client-proxy/kubeconfig";
import { withKubeconfigLock } from "../../../src/client-proxy/kubeconfig-lock";
import { mergeContext } from "../../../src/client-proxy/merged-context";

const entry = {
  name: "plant-7",
  server: "https://127.0.0.1:1",
  tlsServerName: "x",
  ca: { kind: "pem" as const, pem: "PEM" },
  user: { exec: { command: "/bin/cat", args: ["x"] } },
};
const users = `apiVersion: v1
kind: Config
contexts: [{ name: mine, context: { cluster: mine } }]
current-context: mine
`;

describe("a context merged by hand", () => {
  let folder: string;
  let ours: string;
  let target: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "merged-"));
    ours = join(folder, "kubeconfig");
    target = join(folder, "config");
    writeFileSync(ours, renderKubeconfig(entry));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = () => parse(readFileSync(target, "utf8")) as Record<string, unknown>;

  it("is there while the proxy runs, and is taken out at the end", async () => {
    writeFileSync(target, users);
    const takeOut = await mergeContext(ours, target);
    expect(read()).toMatchObject({ "current-context": "plant-7", clusters: [{ name: "plant-7" }] });
    await takeOut();
    expect(read()).toEqual({ ...(parse(users) as object), clusters: [], users: [] });
    expect(readdirSync(folder).sort()).toEqual(["config", "kubeconfig"]);
  });

  it("makes the file if need be, for its user alone", async () => {
    const takeOut = await mergeContext(ours, target);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    await takeOut();
    expect(read()).toMatchObject({ "current-context": "", contexts: [] });
  });

  it("keeps what others have written meanwhile", async () => {
    writeFileSync(target, users);
    const takeOut = await mergeContext(ours, target);
    writeFileSync(target, mergeKubeconfig(readFileSync(target, "utf8"), { ...entry, name: "later" }));
    await takeOut();
    expect(read()).toMatchObject({
      "current-context": "later",
      contexts: [{ name: "mine" }, { name: "later" }],
    });
  });

  it("goes into the file that a link points at, and leaves the link a link", async () => {
    const real = join(folder, "real");
    writeFileSync(real, users);
    symlinkSync(real, target);
    const takeOut = await mergeContext(ours, target);
    expect(lstatSync(target).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, "utf8")).toContain("plant-7");
    await takeOut();
    expect(readFileSync(real, "utf8")).not.toContain("plant-7");
  });

  it("does not touch a file that has that name already, or is no kubeconfig", async () => {
    writeFileSync(target, renderKubeconfig(entry));
    await expect(mergeContext(ours, target)).rejects.toMatchObject({ code: "ERR_KUBECONFIG_CLASH" });
    expect(readFileSync(target, "utf8")).toBe(renderKubeconfig(entry));
    writeFileSync(target, "a: [");
    await expect(mergeContext(ours, target)).rejects.toMatchObject({ code: "ERR_KUBECONFIG_UNREADABLE" });
    expect(readFileSync(target, "utf8")).toBe("a: [");
    await expect(mergeContext(ours, folder)).rejects.toMatchObject({ code: "ERR_KUBECONFIG_UNREADABLE" });
  });

  it("is not brought back by taking it out of a file that is gone", async () => {
    const takeOut = await mergeContext(ours, target);
    rmSync(target);
    await takeOut();
    expect(existsSync(target)).toBe(false);
  });

  it("is locked by the name that was given, as kubectl locks it, though that is a link", async () => {
    const link = join(folder, "link");
    symlinkSync(target, link);
    writeFileSync(target, users);
    const takeOut = await mergeContext(ours, link);
    writeFileSync(`${link}.lock`, "");
    const taking = takeOut();
    await new Promise(setImmediate);
    expect(read()).toMatchObject({ "current-context": "plant-7" });
    rmSync(`${link}.lock`);
    await taking;
    expect(read()).toMatchObject({ "current-context": "mine" });
  });

  it("stays whole beside others that are merged and taken out at the same time", async () => {
    writeFileSync(target, users);
    const names = Array.from({ length: 8 }, (_, index) => `plant-${index}`);
    const merge = (name: string) => {
      writeFileSync(join(folder, name), renderKubeconfig({ ...entry, name }));
      return mergeContext(join(folder, name), target);
    };
    const takeOut = await Promise.all(names.map(merge));
    const { clusters } = read() as { clusters: { name: string }[] };
    expect(clusters.map(({ name }) => name).sort()).toEqual(names);
    await Promise.all(takeOut.map((takeOne) => takeOne()));
    expect(read()).toMatchObject({ clusters: [], contexts: [{ name: "mine" }] });
  });
});

describe("a kubeconfig's lock", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "locked-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is kubectl's: while it is there nothing is written, and the message names it", async () => {
    const target = join(folder, "config");
    writeFileSync(`${target}.lock`, "");
    const work = jest.fn(() => Promise.resolve());
    await expect(withKubeconfigLock(target, work, 0)).rejects.toMatchObject({
      code: "ERR_KUBECONFIG_LOCKED",
      detail: `${target}.lock`,
    });
    expect(work).not.toHaveBeenCalled();
    rmSync(`${target}.lock`);
    await withKubeconfigLock(target, work, 0);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it("is gone after work that fails, too", async () => {
    const target = join(folder, "config");
    const failing = withKubeconfigLock(target, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("cannot be taken in a folder that is none", async () => {
    await expect(
      withKubeconfigLock(join(folder, "a", "config"), async () => undefined),
    ).rejects.toMatchObject({
      code: "ERR_KUBECONFIG_UNREADABLE",
    });
  });
});
