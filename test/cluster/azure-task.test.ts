/** A deployment from Azure Pipelines into a real cluster: the shipped task, two tokens of Microsoft Entra. */
import { azurePipelines } from "../support/ci-systems";
import { connectionId } from "../support/fake-agent/identity-endpoints";
import type { AgentJob } from "../support/fake-agent/job";
import { busyboxImage } from "./node";
import { caller, callerIsAdmin, startJobInCluster, type JobInCluster } from "./support/job-in-cluster";

const namespace = "azure-deployment";
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

describe("a deployment by the task", () => {
  let job: JobInCluster;
  beforeAll(async () => {
    job = await startJobInCluster("cluster-connect-azure", { ci: azurePipelines });
    await job.node.apply(callerIsAdmin, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
  }, 180_000);
  afterAll(async () => {
    await job.node.kubectl(["delete", "clusterrolebinding", "caller-is-admin", "--ignore-not-found"]);
    await job.node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=60s"]);
    await job.close();
  }, 180_000);
  const must = (...args: string[]) => job.must("--namespace", namespace, ...args);
  const apply = async (document: object) => {
    const input = JSON.stringify(document);
    const { code, stderr } = await job.kubectl(["--namespace", namespace, "apply", "-f", "-"], { input });
    expect([code, stderr]).toEqual([0, ""]);
  };

  it("is connected by tokens of Microsoft Entra, and known in the cluster by one of them", async () => {
    expect([job.main.result, job.main.errors()]).toEqual(["succeeded", []]);
    const { identity } = job.job as AgentJob;
    expect(new Set(identity.assertions.map(({ subject }) => subject))).toEqual(new Set([connectionId]));
    expect(await must("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")).toBe(caller);
  });

  it("rolls out, looks into the pods, and rolls out again after the first tokens have ended", async () => {
    await apply(deployment("one"));
    await must("rollout", "status", "deployment/web", "--timeout=60s");
    expect(await must("logs", "deployment/web")).toContain("one");
    expect(await must("exec", "deployment/web", "--", "echo", "inside")).toContain("inside");
    const { identity } = job.job as AgentJob;
    // Renewed at half their life of twenty seconds.
    const deadline = Date.now() + 30_000;
    while (identity.assertions.length < 6 && Date.now() < deadline) {
      await must("get", "pods");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await apply(deployment("two"));
    await must("rollout", "status", "deployment/web", "--timeout=60s");
    expect(await must("logs", "deployment/web")).toContain("two");
  }, 150_000);

  it("leaves nothing behind", async () => {
    const undone = await job.post();
    expect([undone.result, undone.warnings()]).toEqual(["succeeded", []]);
    expect(undone.summary).toContain(caller);
    expect([job.job.leftoverProcesses(), job.job.leftoverFiles()]).toEqual([[], []]);
  });
});
