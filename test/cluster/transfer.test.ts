/** Bulk data through the whole way: `kubectl cp` is an exec of tar, and every byte has to arrive. */
import { createHash, randomFillSync } from "node:crypto";
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { busyboxImage } from "./node";
import { callerIsAdmin, startJobInCluster, startPod, type JobInCluster } from "./support/job-in-cluster";

const namespace = "transfer";
const size = 200_000_000;
const folder = mkdtempSync(join(tmpdir(), "transfer-"));
const original = join(folder, "original");
let job: JobInCluster;

beforeAll(async () => {
  job = await startJobInCluster("cluster-connect-transfer");
  await job.node.apply(callerIsAdmin);
  await startPod(job.node, namespace, "box", busyboxImage, "sleep 100000");
  await pipeline(Readable.from(randomBytes(size)), createWriteStream(original));
}, 180_000);

afterAll(async () => {
  await job.post();
  await job.node.kubectl(["delete", "clusterrolebinding", "caller-is-admin", "--ignore-not-found"]);
  await job.node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=60s"]);
  await job.close();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

describe.each([
  ["WebSocket", "true"],
  ["SPDY", "false"],
])("kubectl cp over %s", (name, webSockets) => {
  const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets };

  it("takes 200 MB into a pod and back, unchanged", async () => {
    const wanted = await digestOf(original);
    const there = `${namespace}/box:/tmp/${name}`;
    const back = join(folder, name);
    await copy(original, there);
    const inPod = await job.must("--namespace", namespace, "exec", "box", "--", "sha256sum", `/tmp/${name}`);
    expect(inPod.split(" ")[0]).toBe(wanted);
    await copy(there, back);
    expect(await digestOf(back)).toBe(wanted);
    await job.must("--namespace", namespace, "exec", "box", "--", "rm", `/tmp/${name}`);
    rmSync(back);
  }, 240_000);

  async function copy(from: string, to: string): Promise<void> {
    const { code, stderr } = await job.kubectl(["cp", from, to], { env });
    if (code !== 0) throw new Error(`kubectl cp ${from} ${to}: ${stderr}\n${await job.evidence()}`);
  }
});

function* randomBytes(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= 1_000_000)
    yield randomFillSync(Buffer.alloc(Math.min(left, 1_000_000)));
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
