/** What is done with the cluster between main and post: each visit says what it expects, and whether that came. */
import { execFile } from "node:child_process";
import { demoClaims } from "./issuer";
import { KubernetesClient } from "./kubernetes-client";

export interface Visit {
  /** As a person would type it. */
  readonly title: string;
  /** Resolves with a line to show; rejects when something else came than expected. */
  run(kubeconfig: string): Promise<string>;
}

const identity = `github:${demoClaims.sub}`;
const timeoutMs = 20_000;

/** Against the embedded API; by kubectl where it is on PATH. */
export const embeddedVisits = (hasKubectl: boolean): readonly Visit[] =>
  hasKubectl ? kubectlVisits : clientVisits;

const watchVisit: Visit = {
  title: "watch config maps while one is created and deleted",
  run: async (kubeconfig) => {
    const client = new KubernetesClient(kubeconfig);
    const path = "/api/v1/namespaces/default/configmaps";
    const events = client.send("GET", `${path}?watch=true`, undefined, (text) => text.includes('"DELETED"'));
    const created = await client.send("POST", path, { metadata: { name: "visit" }, data: { by: "demo" } });
    expect(created.status === 201, created.body);
    await client.send("DELETE", `${path}/visit`);
    expect((await events).body.includes('"ADDED"'), "no event came");
    return "its events came as they happened";
  },
};

const kubectlVisits: readonly Visit[] = [
  kubectl(["version"], "v1.36.3-demo"),
  kubectl(["get", "pods"], "hello"),
  kubectl(["logs", "hello"], "behind a firewall"),
  kubectl(["exec", "hello", "--", "echo", "from inside"], "from inside"),
  kubectl(["exec", "hello", "--", "exit", "3"], "exit code 3", 3),
  watchVisit,
];

const clientVisits: readonly Visit[] = [
  {
    title: "GET /api/v1/namespaces/default/pods",
    run: async (kubeconfig) => {
      const { status, body } = await new KubernetesClient(kubeconfig).send(
        "GET",
        "/api/v1/namespaces/default/pods",
      );
      expect(status === 200 && body.includes('"hello"'), `${String(status)} ${body}`);
      return "pod hello is Running";
    },
  },
  {
    title: "GET …/pods/hello/log",
    run: async (kubeconfig) => {
      const { body } = await new KubernetesClient(kubeconfig).send(
        "GET",
        "/api/v1/namespaces/default/pods/hello/log",
      );
      expect(body.includes("behind a firewall"), body);
      return body.trim();
    },
  },
  {
    title: "exec hello: echo, and exit 3",
    run: async (kubeconfig) => {
      const client = new KubernetesClient(kubeconfig);
      const { output, exitCode } = await client.exec("hello", ["echo", "from inside"]);
      expect(output === "from inside\n" && exitCode === 0, output);
      expect(
        (await client.exec("hello", ["exit", "3"])).exitCode === 3,
        "the exit code did not come through",
      );
      return `${output.trim()}; exit codes 0 and 3 came through`;
    },
  },
  watchVisit,
];

/**
 * Against somebody's real cluster: reads alone, and a refusal. The demo's identity has no rights there, and that the
 * cluster refuses it by name is the proof of who asked.
 */
export const realVisits: readonly Visit[] = [
  {
    title: "GET /version",
    run: async (kubeconfig) => {
      const { status, body } = await new KubernetesClient(kubeconfig).send("GET", "/version");
      expect(status === 200, body);
      return String((JSON.parse(body) as { gitVersion: string }).gitVersion);
    },
  },
  {
    title: "GET /api/v1/secrets, which this identity may not",
    run: async (kubeconfig) => {
      const { status, body } = await new KubernetesClient(kubeconfig).send("GET", "/api/v1/secrets?limit=1");
      expect(
        status === 403 && body.includes(identity),
        `${String(status)}, and not a refusal of ${identity}`,
      );
      return `the cluster refuses ${identity}, by name`;
    },
  },
];

function kubectl(args: readonly string[], expected: string, exitCode = 0): Visit {
  return {
    title: `kubectl ${args.join(" ")}`,
    run: (kubeconfig) =>
      new Promise((resolve, reject) => {
        const options = {
          env: {
            PATH: process.env["PATH"] ?? "",
            HOME: "/nonexistent",
            KUBECONFIG: kubeconfig,
            KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "true",
          },
          timeout: timeoutMs,
        };
        execFile("kubectl", [...args], options, (error, stdout, stderr) => {
          const output = `${stdout}${stderr}`.trim();
          const code = error === null ? 0 : error.code;
          if (code === exitCode && output.includes(expected)) resolve(output);
          else reject(new Error(`exit ${String(code)}: ${output}`));
        });
      }),
  };
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise.slice(0, 500));
}
