/** What the auth proxy can be told beyond its defaults, against a real apiserver and a real kubelet. */
import { busyboxImage, eventually } from "./node";
import {
  callerIsAdmin,
  startJobInCluster,
  startPod,
  tokenLifetimeSeconds,
  type JobInCluster,
} from "./support/job-in-cluster";

const namespace = "auth-proxy-scenario";
let job: JobInCluster;

const inNamespace = (...args: string[]) => ["--namespace", namespace, ...args];
const kubectl = (args: readonly string[], options = {}) => job.kubectl(inNamespace(...args), options);

beforeAll(async () => {
  job = await startJobInCluster("cluster-connect-strict", {
    values: { streams: { end: "expiry", maxAgeMs: 1 } },
  });
  await startPod(job.node, namespace, "box", busyboxImage, "while true; do echo tick; sleep 1; done");
  await job.node.apply(callerIsAdmin);
  await eventually(
    "the rights",
    10_000,
    async () => (await kubectl(["get", "pods"])).code === 0 || undefined,
  );
}, 180_000);

afterAll(async () => {
  await job.node.kubectl(["delete", "clusterrolebinding", "caller-is-admin", "--ignore-not-found"]);
  await job.node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=60s"]);
  await job.close();
}, 180_000);

describe("streams that end with their token", () => {
  const timeoutMs = (tokenLifetimeSeconds + 15) * 1_000;

  it("are an exec that kubectl fails, and says why", async () => {
    const { code, stdout, stderr } = await kubectl(
      ["exec", "box", "--", "sh", "-c", "echo begun; sleep 60"],
      {
        timeoutMs,
      },
    );
    expect(stdout).toBe("begun\n");
    expect(stderr).toContain("ERR_AUTH_PROXY_STREAM_EXPIRED");
    expect(code).toBe(1);
  }, 60_000);

  it("are an exec with a busy output, which kubectl fails too", async () => {
    const { code, stdout, stderr } = await kubectl(
      ["exec", "box", "--", "sh", "-c", "while head -c 300000 /dev/zero; do sleep 0.1; done"],
      {
        timeoutMs,
      },
    );
    expect(stdout.length).toBeGreaterThan(3_000_000);
    expect(stderr).toContain("ERR_AUTH_PROXY_STREAM_EXPIRED");
    expect(code).toBe(1);
  }, 60_000);

  it("are a watch and a log that end in an error", async () => {
    const [watch, log] = await Promise.all([
      job.kubectl(["get", "--raw", `/api/v1/namespaces/${namespace}/pods?watch=1`], { timeoutMs }),
      job.kubectl(["get", "--raw", `/api/v1/namespaces/${namespace}/pods/box/log?follow=true`], {
        timeoutMs,
      }),
    ]);
    expect(watch.stdout).toContain('"type":"ADDED"');
    expect(log.stdout).toContain("tick");
    for (const { code, stderr } of [watch, log]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/stream error|INTERNAL_ERROR|unexpected EOF/);
    }
  }, 60_000);
});
