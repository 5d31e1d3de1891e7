import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import JSZip from "jszip";
import { nodes, root } from "../support/bundle-process";
import { azurePipelines } from "../support/ci-systems";
import { AgentJob } from "../support/fake-agent/job";
import { get } from "../support/kubeconfig-client";
import type { RecordingApiserver } from "../support/recording-apiserver";
import { startSmallApiserver } from "../support/small-apiserver";
import { Stack, subject } from "../support/stack";

const packer = join(root, "scripts/package-vsix.mjs");
const folder = mkdtempSync(join(tmpdir(), "extension-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pack = (...args: string[]) =>
  spawnSync(process.execPath, [packer, "--output", folder, ...args], { encoding: "utf8" });

/** Unpacks the extension that `args` make; resolves with its folder. */
async function unpacked(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = pack(...args);
  expect([status, stderr]).toEqual([0, ""]);
  const target = mkdtempSync(join(folder, "unpacked-"));
  const archive = await JSZip.loadAsync(readFileSync(stdout.trim()));
  for (const [name, file] of Object.entries(archive.files)) {
    if (file.dir) continue;
    mkdirSync(dirname(join(target, name)), { recursive: true });
    writeFileSync(join(target, name), await file.async("nodebuffer"));
  }
  return target;
}

type Handlers = Record<string, { target: string }>;
const manifestOf = (extension: string) =>
  JSON.parse(readFileSync(join(extension, "ClusterConnect/task.json"), "utf8")) as {
    id: string;
    name: string;
    version: object;
    execution: Handlers;
    postjobexecution: Handlers;
  };
const identityOf = (extension: string) =>
  /<Identity[^>]*\/>/.exec(readFileSync(join(extension, "extension.vsixmanifest"), "utf8"))?.[0] ?? "";

describe("the packed extension", () => {
  let extension: string;
  beforeAll(async () => {
    extension = await unpacked();
  }, 60_000);

  it("has extension and task in package.json's version", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(identityOf(extension)).toContain(`Version="${version}"`);
    expect(Object.values(manifestOf(extension).version).join(".")).toBe(version);
  });

  it("has a twin under other ids, for trying a release out", async () => {
    const twin = await unpacked("--twin");
    expect(manifestOf(twin).id).not.toBe(manifestOf(extension).id);
    expect(manifestOf(twin).name).toBe("ClusterConnectTest");
    expect(identityOf(twin)).toContain('Id="cluster-connect-test"');
    expect(identityOf(extension)).toContain('Id="cluster-connect"');
  }, 60_000);

  describe.each(nodes)("on %s", (_name, node) => {
    let apiserver: RecordingApiserver;
    let stack: Stack;
    beforeAll(async () => {
      apiserver = await startSmallApiserver();
      stack = await Stack.start({ apiserver, node });
    });
    afterAll(async () => {
      await stack.close();
      await apiserver.close();
    });

    it("connects from its own files alone, serves requests, and leaves nothing behind", async () => {
      const { execution, postjobexecution } = manifestOf(extension);
      const targetOf = (stage: Handlers) => {
        const targets = new Set(Object.values(stage).map(({ target }) => target));
        expect(targets.size).toBe(1);
        return join(extension, "ClusterConnect", [...targets][0]!);
      };
      const job = await AgentJob.start({
        node,
        mint: (audience) => stack.issuer.mint({ repository: "octo/app" }, { audience, subject }),
      });
      try {
        const inputs = azurePipelines.inputs(stack);
        const result = await job.run("one", targetOf(execution), inputs);
        expect([result.result, result.errors(), result.warnings()]).toEqual(["succeeded", [], []]);
        const answer = await get(job.environment["KUBECONFIG"]!, "/api/v1/namespaces/default/pods");
        expect(JSON.parse(answer.body)).toMatchObject({ seen: `github:${subject}` });
        const undone = await job.run("one", targetOf(postjobexecution), inputs);
        expect([undone.result, undone.warnings()]).toEqual(["succeeded", []]);
        expect(undone.summary).toContain("| Cluster | plant-7 |");
        expect(job.environment["KUBECONFIG"]).toBe("");
        expect([job.leftoverProcesses(), job.leftoverFiles()]).toEqual([[], []]);
      } finally {
        await job.close();
      }
    });
  });

  it("is not made when the packer has so much as a warning", () => {
    const copy = mkdtempSync(join(folder, "root-"));
    for (const path of ["deploy/azure-devops", "dist", "package.json", "vss-extension.json", "LICENSE"]) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    const task = JSON.parse(readFileSync(join(root, "task.json"), "utf8")) as object;
    writeFileSync(join(copy, "task.json"), JSON.stringify({ ...task, friendlyName: "x".repeat(41) }));
    const { status, stderr } = pack("--root", copy);
    expect([status, stderr]).toEqual([1, expect.stringContaining("tfx is not content")]);
  }, 60_000);
});
