/** What a CI job does with a cluster, by real kubectl, helm and clients, through the kubeconfig that the action exported. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support/bundle-process";
import { busyboxImage, eventually, run } from "./node";
import {
  caller,
  callerIsAdmin,
  jobClaims,
  startJobInCluster,
  startPod,
  type JobInCluster,
} from "./support/job-in-cluster";

const namespace = "scenario";
const folder = mkdtempSync(join(tmpdir(), "scenario-"));
let job: JobInCluster;
let auditFrom: number;

const inNamespace = (...args: string[]) => ["--namespace", namespace, ...args];
const must = (...args: string[]) => job.must(...inNamespace(...args));
const kubectl = (args: readonly string[], options = {}) => job.kubectl(inNamespace(...args), options);
const start = (...args: string[]) =>
  spawn(job.node.programs.kubectl, inNamespace(...args), {
    env: { ...process.env, KUBECONFIG: job.kubeconfig },
  });
const configMap = (name: string, data: Record<string, string>) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

beforeAll(async () => {
  job = await startJobInCluster("cluster-connect-job");
  await startPod(
    job.node,
    namespace,
    "box",
    busyboxImage,
    "echo one; nc -ll -p 8080 -e cat & while read line; do echo got $line; done",
  );
  auditFrom = job.node.auditEnd();
}, 180_000);

afterAll(async () => {
  await job.node.kubectl(["delete", "clusterrolebinding", "caller-is-admin", "--ignore-not-found"]);
  await job.node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=60s"]);
  await job.close();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

describe("a job in a real cluster", () => {
  it("is connected as its own identity, and told which rights to ask for while it has none", async () => {
    expect(job.main.errors()).toEqual([]);
    expect(job.main.stdout).toMatch(
      new RegExp(`Connected to plant-7 \\(v1\\.36\\.3\\) as ${caller} in \\d+\\.\\d s`),
    );
    expect(job.main.stdout).toContain(`--user='${caller}'`);
    const refused = await kubectl(["get", "pods"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`User "${caller}" cannot list resource "pods"`);
    await job.node.apply(callerIsAdmin);
    await eventually(
      "the new rights",
      10_000,
      async () => (await kubectl(["get", "pods"])).code === 0 || undefined,
    );
    expect(await must("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")).toBe(caller);
  });

  it("gets, applies, changes and deletes, on either side", async () => {
    for (const flags of [[], ["--server-side"]]) {
      const applied = await kubectl(["apply", ...flags, "-f", "-"], {
        input: configMap("settings", { colour: "green" }),
      });
      expect([applied.stderr, applied.code]).toEqual(["", 0]);
      expect(await must("get", "configmap", "settings", "-o", "jsonpath={.data.colour}")).toBe("green");
      await must("patch", "configmap", "settings", "-p", '{"data":{"colour":"blue"}}');
      expect(await must("get", "configmap", "settings", "-o", "jsonpath={.data.colour}")).toBe("blue");
      await must("delete", "configmap", "settings");
    }
  });

  it("watches, each event as it happens", async () => {
    const watch = start("get", "configmaps", "--watch", "-o", "name");
    let seen = "";
    watch.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    await eventually("the first event", 10_000, () =>
      Promise.resolve(seen.includes("kube-root-ca") || undefined),
    );
    await job.node.kubectl(inNamespace("create", "configmap", "watched"));
    await eventually("the event", 2_000, () => Promise.resolve(seen.includes("watched") || undefined));
    watch.kill("SIGINT");
    await once(watch, "exit");
  });

  it("follows logs, and attaches", async () => {
    const logs = start("logs", "--follow", "box");
    let seen = "";
    logs.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    await eventually("the first line", 10_000, () => Promise.resolve(seen.includes("one") || undefined));
    const attached = start("attach", "--stdin", "box");
    await once(attached, "spawn");
    await eventually("a line through attach", 10_000, () => {
      attached.stdin.write("hello\n");
      return Promise.resolve(seen.includes("got hello") || undefined);
    });
    for (const child of [attached, logs]) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
  });

  it.each([
    ["WebSocket", "true"],
    ["SPDY", "false"],
  ])("runs commands over %s, with their input, output and exit code", async (_, webSockets) => {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets };
    const input = randomBytes(300_000).toString("hex");
    const echoed = await kubectl(["exec", "-i", "box", "--", "sh", "-c", "cat; exit 7"], { env, input });
    expect(echoed.code).toBe(7);
    expect(echoed.stdout === input).toBe(true);
    expect((await kubectl(["exec", "box", "--", "true"], { env })).code).toBe(0);
  });

  it("runs a command on a terminal", async () => {
    const line = `${job.node.programs.kubectl} -n ${namespace} exec -it box -- sh -c 'test -t 0 && echo on a terminal; exit 5'`;
    const script = spawn("script", ["-qec", line, "/dev/null"], {
      env: { ...process.env, KUBECONFIG: job.kubeconfig, TERM: "xterm" },
    });
    let seen = "";
    script.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    const [code] = (await once(script, "exit")) as [number];
    expect([code, seen]).toEqual([5, expect.stringMatching(/^on a terminal\r?\n/)]);
  });

  it("forwards a port", async () => {
    const forward = start("port-forward", "pod/box", ":8080");
    const [line] = (await once(forward.stdout, "data")) as [Buffer];
    const socket = connect(Number(/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]), "127.0.0.1");
    socket.write("ping");
    expect(String((await once(socket, "data"))[0])).toBe("ping");
    socket.destroy();
    forward.kill("SIGINT");
    await once(forward, "exit");
  });

  it("debugs a pod with a container of its own", async () => {
    const command = ["sh", "-c", "sleep 2; echo inside; sleep 1"];
    const flags = [`--image=${busyboxImage}`, "--image-pull-policy=Never", "--attach", "--quiet"];
    const debug = await kubectl(["debug", "box", ...flags, "--", ...command]);
    expect([debug.code, debug.stdout.trim()]).toEqual([0, "inside"]);
  });

  it("may not act as somebody else", async () => {
    const refused = await kubectl(["get", "pods", "--as", "system:admin"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED");
  });

  it("installs, upgrades and uninstalls with helm", async () => {
    const chart = join(folder, "chart");
    mkdirSync(join(chart, "templates"), { recursive: true });
    writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: tiny\nversion: 0.1.0\n");
    writeFileSync(
      join(chart, "templates/map.yaml"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: tiny }\ndata: { colour: {{ .Values.colour }} }\n",
    );
    const helm = async (...args: string[]) => {
      const { code, stderr } = await job.node.helm(inNamespace(...args), {
        env: { KUBECONFIG: job.kubeconfig },
      });
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("Error")]);
    };
    await helm("install", "tiny", chart, "--set", "colour=red");
    await helm("upgrade", "tiny", chart, "--set", "colour=green");
    expect(await must("get", "configmap", "tiny", "-o", "jsonpath={.data.colour}")).toBe("green");
    await helm("uninstall", "tiny");
  });

  it("carries long requests: 100 KB over HTTP/1.1, 60 KB over HTTP/2", async () => {
    const long = (bytes: number) => `/version?x=${"x".repeat(bytes)}`;
    const overHttp1 = await job.kubectl(["get", "--raw", long(100_000)], { env: { DISABLE_HTTP2: "true" } });
    expect([overHttp1.code, overHttp1.stdout]).toEqual([0, expect.stringContaining("v1.36.3")]);
    const overHttp2 = await job.kubectl(["get", "--raw", long(60_000)]);
    expect([overHttp2.code, overHttp2.stdout]).toEqual([0, expect.stringContaining("v1.36.3")]);
  });

  it("serves 64 kubectl at once", async () => {
    const results = await Promise.all(
      Array.from({ length: 64 }, () => kubectl(["get", "pods", "-o", "name"])),
    );
    expect(results.filter(({ code, stdout }) => code !== 0 || stdout.trim() !== "pod/box")).toEqual([]);
  }, 120_000);

  it("serves the Python and JavaScript clients beyond the life of a token", async () => {
    const inPython = [
      "import time, kubernetes",
      "kubernetes.config.load_kube_config()",
      "api = kubernetes.client.CoreV1Api()",
      "end = time.time() + 30",
      "count = 0",
      "while time.time() < end:",
      "    assert [pod.metadata.name for pod in api.list_namespaced_pod('scenario').items] == ['box']",
      "    count += 1",
      "    time.sleep(1)",
      "print(count)",
    ].join("\n");
    const inJavaScript = `
      import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
      const config = new KubeConfig();
      config.loadFromDefault();
      const api = config.makeApiClient(CoreV1Api);
      const end = Date.now() + 30_000;
      let count = 0;
      for (; Date.now() < end; count += 1) {
        const { items } = await api.listNamespacedPod({ namespace: "scenario" });
        if (items.map(({ metadata }) => metadata.name).join() !== "box") throw new Error("another list");
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      console.log(count);`;
    const env = { ...process.env, KUBECONFIG: job.kubeconfig };
    const [python, javaScript] = await Promise.all([
      run(job.node.programs.python, ["-c", inPython], { env }),
      run(process.execPath, ["--input-type=module", "-e", inJavaScript], { env, cwd: root }),
    ]);
    for (const { code, stdout, stderr } of [python, javaScript]) {
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("Traceback")]);
      expect(Number(stdout)).toBeGreaterThan(10);
    }
  }, 90_000);

  it("stands by its own name in the cluster's audit log, and the auth proxy's only for what is its own", () => {
    const account = `system:serviceaccount:cluster-connect-job:${job.release.fullName}`;
    const byProxy = job.node.audit(auditFrom).filter(({ user }) => user.username === account);
    const asCaller = byProxy.filter(({ impersonatedUser }) => impersonatedUser !== undefined);
    expect(asCaller.length).toBeGreaterThan(100);
    expect(asCaller.filter(({ impersonatedUser }) => impersonatedUser?.username !== caller)).toEqual([]);
    const own = byProxy.filter(({ impersonatedUser }) => impersonatedUser === undefined);
    const paths = [...new Set(own.map(({ requestURI }) => requestURI.split("?")[0]))];
    expect(
      paths.filter(
        (path) => !/^\/(readyz|version)$|\/secrets\/cluster-connect-tls$|reviews$/.test(path ?? ""),
      ),
    ).toEqual([]);
  });

  it("is named in that log: its repository, run, workflow and token, and the session it came through", () => {
    const account = `system:serviceaccount:cluster-connect-job:${job.release.fullName}`;
    const extras = job.node
      .audit(auditFrom)
      .filter(({ user, impersonatedUser }) => user.username === account && impersonatedUser !== undefined)
      .map(({ impersonatedUser }) => impersonatedUser!.extra ?? {});
    const sessions = new Set(extras.map((extra) => extra["cluster-connect.dev/session"]?.[0]));
    const tokens = new Set(extras.map((extra) => extra["cluster-connect.dev/jti"]?.[0]));
    expect([...sessions].every((id) => id !== undefined && /^[\w-]{8,64}$/.test(id))).toBe(true);
    // Tokens of 20 s: there were several in these minutes, each with a name of its own.
    expect(tokens.size).toBeGreaterThan(2);
    expect(tokens.has(undefined)).toBe(false);
    for (const extra of extras) {
      expect(extra).toMatchObject({
        "cluster-connect.dev/issuer": [expect.stringMatching(/^https:/)],
        "cluster-connect.dev/repository": [jobClaims.repository],
        "cluster-connect.dev/run-id": [jobClaims.run_id],
        "cluster-connect.dev/workflow": [jobClaims.workflow],
      });
    }
  });

  it("leaves nothing behind", async () => {
    const undone = await job.post();
    expect([undone.exitCode, undone.warnings()]).toEqual([0, []]);
    expect(job.job.leftoverProcesses()).toEqual([]);
    expect(job.job.leftoverFiles()).toEqual([]);
  });
});
