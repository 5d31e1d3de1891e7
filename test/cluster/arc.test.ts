/** The deployment of a CI job into a real cluster through Azure Arc, Azure itself being simulated, by action and task. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { azurePipelines, githubActions } from "../support/ci-systems";
import { busyboxImage, eventually } from "./node";
import { arcCaller, startArcJob, type ArcJob } from "./support/arc-job";
import { callerIsAdmin, startPod } from "./support/job-in-cluster";

const namespace = "arc-deployment";
const inNamespace = (...args: string[]) => ["--namespace", namespace, ...args];
const arcCallerIsAdmin = {
  ...callerIsAdmin,
  metadata: { name: "arc-caller-is-admin" },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: arcCaller }],
};

let job: ArcJob;
const must = (...args: string[]) => job.must(...inNamespace(...args));
const start = (...args: string[]) =>
  spawn(job.node.programs.kubectl, inNamespace(...args), {
    env: { ...process.env, KUBECONFIG: job.kubeconfig },
  });
const cleanUp = async () => {
  await job.node.kubectl(["delete", "clusterrolebinding", "arc-caller-is-admin", "--ignore-not-found"]);
  await job.node.kubectl([
    "delete",
    "namespace",
    namespace,
    "--wait=true",
    "--timeout=60s",
    "--ignore-not-found",
  ]);
  await job.close();
};
const deployment = (greeting: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "Recreate" },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "web",
            image: busyboxImage,
            imagePullPolicy: "Never",
            command: ["sh", "-c", `echo ${greeting}; while true; do sleep 1; done`],
          },
        ],
      },
    },
  },
});
const rollOut = async (greeting: string) => {
  const input = JSON.stringify(deployment(greeting));
  const { code, stderr } = await job.kubectl(inNamespace("apply", "-f", "-"), { input });
  expect([code, stderr]).toEqual([0, ""]);
  await must("rollout", "status", "deployment/web", "--timeout=60s");
  expect(await must("logs", "deployment/web")).toContain(greeting);
};
const expectNothingLeft = async () => {
  const undone = await job.post();
  expect([undone.result, undone.warnings()]).toEqual(["succeeded", []]);
  expect(undone.summary).toContain(arcCaller);
  expect([job.job.leftoverProcesses(), job.job.leftoverFiles()]).toEqual([[], []]);
  expect(job.world.azure.arcProxy.isRunning).toBe(false);
  expect(job.world.azure.violations).toEqual([]);
};

describe("a deployment by the action through Azure Arc", () => {
  const folder = mkdtempSync(join(tmpdir(), "arc-scenario-"));
  beforeAll(async () => {
    job = await startArcJob(githubActions, "cluster-connect-arc", { token: 20, relay: 24 });
    await startPod(job.node, namespace, "box", busyboxImage, "echo one; nc -ll -p 8080 -e cat & sleep 3600");
  }, 180_000);
  afterAll(async () => {
    await cleanUp();
    rmSync(folder, { recursive: true });
  }, 180_000);

  it("is connected as the application, and told which rights to ask for while it has none", async () => {
    expect(job.main.errors()).toEqual([]);
    expect(job.main.stdout).toMatch(
      new RegExp(`Connected to plant-7 \\(v1\\.36\\.3\\) as ${arcCaller} in \\d`),
    );
    expect(job.main.stdout).toContain(`--user='${arcCaller}'`);
    expect((await job.kubectl(inNamespace("get", "pods"))).stderr).toContain(
      `User "${arcCaller}" cannot list`,
    );
    await job.node.apply(arcCallerIsAdmin);
    await eventually("the new rights", 10_000, async () =>
      (await job.kubectl(inNamespace("get", "pods"))).code === 0 ? true : undefined,
    );
    expect(await must("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")).toBe(arcCaller);
  });

  it("rolls out, and looks into the pods", async () => {
    await rollOut("first");
    expect(await must("exec", "deployment/web", "--", "echo", "inside")).toContain("inside");
  });

  it.each([
    ["WebSocket", "true"],
    ["SPDY", "false"],
  ])("runs commands over %s, with their input, output and exit code", async (_, webSockets) => {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets };
    const input = randomBytes(100_000).toString("hex");
    const args = inNamespace("exec", "-i", "box", "--", "sh", "-c", "cat; exit 7");
    const echoed = await job.kubectl(args, { env, input });
    expect(echoed.code).toBe(7);
    expect(echoed.stdout === input).toBe(true);
  });

  it("watches, follows logs and forwards a port", async () => {
    const watch = start("get", "configmaps", "--watch", "-o", "name");
    let seen = "";
    watch.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    await eventually("the first event", 10_000, () =>
      Promise.resolve(seen.includes("kube-root-ca") || undefined),
    );
    await must("create", "configmap", "watched");
    await eventually("the event", 5_000, () => Promise.resolve(seen.includes("watched") || undefined));
    const forward = start("port-forward", "pod/box", ":8080");
    const [line] = (await once(forward.stdout, "data")) as [Buffer];
    const socket = connect(Number(/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]), "127.0.0.1");
    socket.write("ping");
    expect(String((await once(socket, "data"))[0])).toBe("ping");
    socket.destroy();
    for (const child of [watch, forward]) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
  });

  it("installs and uninstalls with helm", async () => {
    const chart = join(folder, "chart");
    mkdirSync(join(chart, "templates"), { recursive: true });
    writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: tiny\nversion: 0.1.0\n");
    writeFileSync(
      join(chart, "templates/map.yaml"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: tiny }\ndata: { colour: red }\n",
    );
    for (const args of [
      ["install", "tiny", chart],
      ["uninstall", "tiny"],
    ]) {
      const { code, stderr } = await job.node.helm(inNamespace(...args), {
        env: { KUBECONFIG: job.kubeconfig },
      });
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("Error")]);
    }
  });

  it("goes on beyond the lives of its first token and of the relay's first credential, and over a crash of arcProxy", async () => {
    const { arcProxy } = job.world.azure;
    await eventually("both renewed", 60_000, async () => {
      await must("get", "pods");
      const renewed = arcProxy.events("token").length > 2 && arcProxy.events("registered").length > 2;
      return renewed || undefined;
    });
    process.kill(arcProxy.pids.at(-1)!, "SIGKILL");
    await eventually("the successor", 20_000, async () =>
      (await job.kubectl(inNamespace("get", "pods"))).code === 0 ? true : undefined,
    );
    await rollOut("second");
  }, 120_000);

  it("leaves nothing behind but a warning of what the crash has cost, if it has cost anything", async () => {
    const undone = await job.post();
    expect(undone.result).toBe("succeeded");
    expect(undone.warnings().filter((text) => !/connections were lost/.test(text))).toEqual([]);
    expect([job.job.leftoverProcesses(), job.job.leftoverFiles()]).toEqual([[], []]);
    expect(job.world.azure.arcProxy.isRunning).toBe(false);
    expect(job.world.azure.violations).toEqual([]);
  });
});

describe("a deployment by the task through Azure Arc", () => {
  beforeAll(async () => {
    job = await startArcJob(azurePipelines, "cluster-connect-arc", { token: 3_600, relay: 10_800 });
    await job.node.apply(arcCallerIsAdmin, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
  }, 180_000);
  afterAll(cleanUp, 180_000);

  it("is connected, rolls out, and leaves nothing behind", async () => {
    expect([job.main.result, job.main.errors()]).toEqual(["succeeded", []]);
    await rollOut("by the task");
    expect(await must("exec", "deployment/web", "--", "echo", "inside")).toContain("inside");
    await expectNothingLeft();
  }, 120_000);
});
