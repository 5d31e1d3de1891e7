/** Each hop killed while kubectl is at work: an unfinished command never looks finished, and the next one works. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage, eventually } from "./node";
import { callerIsAdmin, startJobInCluster, startPod, type JobInCluster } from "./support/job-in-cluster";
import { containerReady, killContainer, replacePod } from "./support/release-container";
import {
  hasBytes,
  hasPrinted,
  startUnfinishedCommand,
  type UnfinishedCommand,
} from "./support/unfinished-command";

const namespace = "losses";
const folder = mkdtempSync(join(tmpdir(), "losses-"));
/** Not copied within a test, and the most that busybox reads from a tar header; it holds no block of a disk. */
const hugeBytes = 7 * 2 ** 30;
/** From when the hop serves again. */
const healedWithinMs = 5_000;
let job: JobInCluster;

beforeAll(async () => {
  job = await startJobInCluster("cluster-connect-losses");
  await job.node.apply(callerIsAdmin);
  await startPod(
    job.node,
    namespace,
    "box",
    busyboxImage,
    `echo up; truncate -s ${String(hugeBytes)} /tmp/huge; sleep 100000`,
  );
  writeFileSync(join(folder, "huge"), "");
  truncateSync(join(folder, "huge"), hugeBytes);
}, 180_000);

afterAll(async () => {
  await job.node.kubectl(["delete", "clusterrolebinding", "caller-is-admin", "--ignore-not-found"]);
  await job.node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=60s"]);
  await job.close();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

const commands: UnfinishedCommand[] = [];
afterEach(() => {
  for (const { kill } of commands.splice(0)) kill();
});

const kubectl = (...args: string[]) => job.kubectl(["--namespace", namespace, ...args]);

/** The clients that a loss must not fool, all of them under way. */
async function startAll(env: NodeJS.ProcessEnv = {}): Promise<UnfinishedCommand[]> {
  const copied = join(folder, "copied");
  rmSync(copied, { force: true });
  const start = async (name: string, args: readonly string[], isUnderWay = hasPrinted) => {
    commands.push(
      await startUnfinishedCommand({
        name,
        program: job.node.programs.kubectl,
        args: ["--namespace", namespace, ...args],
        env: { ...process.env, KUBECONFIG: job.kubeconfig, ...env },
        isUnderWay,
      }),
    );
  };
  await start("exec", ["exec", "box", "--", "sh", "-c", "echo begun; sleep 1000"]);
  await start("exec with input", ["exec", "-i", "box", "--", "sh", "-c", "echo begun; sleep 1000"]);
  await start("logs", ["logs", "--follow", "box"]);
  // kubectl get --watch exits 0 however its watch ends, over a direct connection too; --raw tells.
  await start("watch", ["get", "--raw", `/api/v1/namespaces/${namespace}/configmaps?watch=true`]);
  await start("cp from the pod", ["cp", "box:/tmp/huge", copied], () => hasBytes(copied));
  await start("cp into the pod", ["cp", join(folder, "huge"), "box:/tmp/arrived"], arrives);
  return [...commands];
}

async function arrives(): Promise<boolean> {
  const { stdout } = await job.node.kubectl([
    ...["--namespace", namespace, "exec", "box", "--"],
    ...["stat", "-c", "%s", "/tmp/arrived"],
  ]);
  return Number(stdout) > 0;
}

/** What a command that was cut says of itself. */
async function endings(commands: readonly UnfinishedCommand[]): Promise<Record<string, number | null>> {
  const entries = commands.map(async ({ name, exit }) => [name, await exit] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const failed = {
  exec: 1,
  "exec with input": 1,
  logs: 1,
  watch: 1,
  "cp from the pod": 1,
  "cp into the pod": 1,
};

const answersOfTheClientProxy = () => job.clientProxyLog().split("connection.answered_locally").length;

async function healed(): Promise<void> {
  await eventually("a new command", healedWithinMs, async () => {
    const { code, stdout } = await kubectl("exec", "box", "--", "echo", "back");
    return (code === 0 && stdout === "back\n") || undefined;
  });
  // What was being copied when it was cut still fills the node's memory.
  await kubectl("exec", "box", "--", "rm", "-f", "/tmp/arrived");
}

describe("over WebSocket, an unfinished command ends with an error, and a new one works", () => {
  it("when the relay is lost", async () => {
    const commands = await startAll();
    await job.relay.kill();
    expect(await endings(commands)).toEqual(failed);
    await job.relay.start();
    await healed();
  }, 120_000);

  it.each([["agent" as const], ["auth-proxy" as const]])(
    "when the %s is lost",
    async (name) => {
      const commands = await startAll();
      await killContainer(job, name);
      expect(await endings(commands)).toEqual(failed);
      await containerReady(job, name, 1);
      await healed();
    },
    180_000,
  );

  it("when the client proxy is lost", async () => {
    const commands = await startAll();
    for (const pid of job.job.leftoverProcesses()) process.kill(pid, "SIGKILL");
    expect(await endings(commands)).toEqual(failed);
    expect((await job.connect("again", { "context-name": "again" })).errors()).toEqual([]);
    await healed();
  }, 120_000);
});

describe("kubectl that is started while a hop is missing", () => {
  it("is told to try again until the relay is back", async () => {
    const before = answersOfTheClientProxy();
    await job.relay.kill();
    const early = kubectl("get", "pods", "-o", "name");
    await eventually("an answer of the client proxy's own", 20_000, () => {
      return answersOfTheClientProxy() > before || undefined;
    });
    await job.relay.start();
    const { code, stdout, stderr } = await early;
    expect([code, stdout.trim(), stderr]).toEqual([0, "pod/box", ""]);
  }, 60_000);

  it("is told to try again until the auth proxy is back", async () => {
    await replacePod(job);
    await killContainer(job, "auth-proxy");
    const { code, stdout, stderr } = await kubectl("get", "pods", "-o", "name");
    expect([code, stdout.trim(), stderr]).toEqual([0, "pod/box", ""]);
    await containerReady(job, "auth-proxy", 1);
  }, 120_000);
});

describe("over SPDY, where kubectl itself exits 0 for an exec that was cut", () => {
  it("the loss is counted, and named in the job's summary", async () => {
    const commands = await startAll({ KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false" });
    await job.relay.kill();
    const { logs, watch } = await endings(commands);
    expect({ logs, watch }).toEqual({ logs: 1, watch: 1 });
    await job.relay.start();
    await healed();
    const { summary } = await job.post("again");
    const [, lost] = /\| Streams lost \| \*\*(\d+)\*\*.*SPDY/.exec(summary) ?? [];
    expect(Number(lost)).toBeGreaterThanOrEqual(commands.length);
    // The one that was killed has nothing to tell, and its files go all the same.
    expect((await job.post("connect")).exitCode).toBe(0);
    expect([job.job.leftoverProcesses(), job.job.leftoverFiles()]).toEqual([[], []]);
  }, 120_000);
});
