/** The node itself, without the product: what the other files of this folder may take for granted. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { attachNode, busyboxImage, eventually, mustRun, serviceAccountIssuer } from "./node";

const node = attachNode();
const { kubectl: kubectlPath } = node.programs;
const namespace = "node-test";
const ok = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await node.kubectl(["--namespace", namespace, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr });
  return stdout;
};

const pod = (name: string, command: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: busyboxImage, command: ["sh", "-c", command] }],
  },
});

beforeAll(async () => {
  await node.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await eventually("the namespace's default service account", 20_000, () =>
    node
      .kubectl(["-n", namespace, "get", "serviceaccount", "default"])
      .then(({ code }) => code === 0 || undefined),
  );
  await node.apply(
    pod("server", "echo started; exec nc -ll -p 8080 -e cat"),
    pod("other", "echo one; echo two; exec sleep 3600"),
  );
  await ok("wait", "--for=condition=Ready", "pod/server", "pod/other", "--timeout=30s");
});

afterAll(async () => {
  await node.kubectl(["delete", "namespace", namespace, "--wait=true"]);
});

describe("the test node", () => {
  it("is Kubernetes 1.36.3, apiserver, kubelet and kubectl alike", async () => {
    const versions = JSON.parse(await ok("version", "-o", "json")) as Record<string, { gitVersion: string }>;
    expect(versions["serverVersion"]?.gitVersion).toBe("v1.36.3");
    expect(versions["clientVersion"]?.gitVersion).toBe("v1.36.3");
    expect(await ok("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}")).toBe(
      "v1.36.3",
    );
  });

  it("has one node, which is Ready", async () => {
    const path = 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}';
    expect(await ok("get", "nodes", "-o", path)).toBe("True");
  });

  it("gives the logs of a pod", async () => {
    expect(await ok("logs", "other")).toBe("one\ntwo\n");
  });

  it("runs a command in a pod, with its input and its exit code", async () => {
    const { code, stdout } = await node.kubectl(
      ["-n", namespace, "exec", "-i", "other", "--", "sh", "-c", "cat; exit 7"],
      { input: "through stdin" },
    );
    expect({ code, stdout }).toEqual({ code: 7, stdout: "through stdin" });
  });

  it("forwards a port to a pod", async () => {
    const forward = spawn(kubectlPath, ["-n", namespace, "port-forward", "pod/server", ":8080"], {
      env: { ...process.env, KUBECONFIG: node.kubeconfig },
    });
    try {
      const [line] = (await once(forward.stdout, "data")) as [Buffer];
      const [, port] = /127\.0\.0\.1:(\d+)/.exec(line.toString()) ?? [];
      expect(await echoed(Number(port), "127.0.0.1", "ping")).toBe("ping");
    } finally {
      await ended(forward);
    }
  });

  it("reaches pods from this machine, and this machine from pods", async () => {
    const podAddress = await ok("get", "pod", "server", "-o", "jsonpath={.status.podIP}");
    expect(await echoed(8080, podAddress, "from outside")).toBe("from outside");

    const server = createServer((socket) => socket.end("from the machine\n"));
    server.listen(0, node.state.addresses.host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const command = ["exec", "other", "--", "nc", "-w", "5", node.state.addresses.host, String(port)];
      expect(await ok(...command)).toBe("from the machine\n");
    } finally {
      server.close();
    }
  });

  it("has no way out: no route beyond this machine's end of the cable", async () => {
    const { init } = node.state;
    const routes = await mustRun("nsenter", ["--net", `--target=${String(init)}`, "ip", "route"]);
    expect(routes).not.toContain("default");
    expect(
      routes
        .trim()
        .split("\n")
        .every((line) => line.startsWith("198.18.")),
    ).toBe(true);
  });

  it("serves the kubernetes service to pods under its cluster address", async () => {
    const { service } = node.state.addresses;
    expect(
      await ok("get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}"),
    ).toBe(service);
    await ok("exec", "other", "--", "nc", "-w", "5", service, "443", "-e", "true");
  });

  it("signs service-account tokens for any audience, under keys that anybody may be given", async () => {
    const token = (await ok("create", "token", "default", "--audience", "https://relay.example")).trim();
    const part = (index: number) =>
      JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString()) as Record<
        string,
        unknown
      >;
    expect(part(1)).toMatchObject({
      iss: serviceAccountIssuer,
      aud: ["https://relay.example"],
      sub: `system:serviceaccount:${namespace}:default`,
    });
    const { keys } = await node.serviceAccountKeys();
    expect(keys.map(({ kid }) => kid)).toContain(part(0)["kid"]);
  });

  it("records each request with the identity it came as and the one it ran as", async () => {
    const mark = node.auditEnd();
    const { code } = await node.kubectl(["get", "pods", "--as", "someone", "--as-group", "some-group"]);
    expect(code).toBe(1);
    const found = await eventually("the request in the audit log", 5_000, () =>
      node.audit(mark).find(({ impersonatedUser }) => impersonatedUser?.username === "someone"),
    );
    expect(found.user.username).toBe("admin");
    expect(found.impersonatedUser?.groups).toContain("some-group");
    expect(found.responseStatus?.code).toBe(403);
  });

  it("gives a pod's token anew when the kubelet restarts, as it does when it rotates", async () => {
    const read = () =>
      ok("exec", "other", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token");
    const before = await read();
    await node.restart("kubelet");
    const after = await eventually("another token in the pod", 30_000, async () => {
      const token = await read();
      return token === before ? undefined : token;
    });
    expect(after.split(".")).toHaveLength(3);
  }, 90_000);

  it("comes back after its apiserver was killed", async () => {
    const before = node.pid("kube-apiserver");
    await node.kill("kube-apiserver");
    expect((await node.kubectl(["get", "nodes", "--request-timeout=5s"])).code).not.toBe(0);
    await node.start("kube-apiserver");
    await node.ready();
    expect(node.pid("kube-apiserver")).not.toBe(before);
    expect(await ok("logs", "other")).toBe("one\ntwo\n");
  }, 90_000);

  it("runs the Python client", async () => {
    const script = "import kubernetes; print(kubernetes.__version__)";
    const version = (await mustRun(node.programs.python, ["-c", script])).trim();
    expect(readFileSync(`${__dirname}/tools/python/requirements.txt`, "utf8")).toContain(version);
  });

  it("has helm", async () => {
    expect((await node.helm(["version", "--short"])).stdout).toMatch(/^v4\./);
  });
});

/** What comes back from an echo server. */
async function echoed(port: number, host: string, text: string): Promise<string> {
  const socket = connect(port, host);
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString();
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill();
  await exit;
}
