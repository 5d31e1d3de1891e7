/** What the auth proxy can be told beyond its defaults, against a real apiserver and a real kubelet. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { busyboxImage, eventually, serviceAccountIssuer } from "./node";
import {
  caller,
  callerIsAdmin,
  jobClaims,
  startJobInCluster,
  startPod,
  tokenLifetimeSeconds,
  type JobInCluster,
} from "./support/job-in-cluster";

const namespace = "auth-proxy-scenario";
const folder = mkdtempSync(join(tmpdir(), "auth-proxy-scenario-"));
let job: JobInCluster;

const inNamespace = (...args: string[]) => ["--namespace", namespace, ...args];
const kubectl = (args: readonly string[], options = {}) => job.kubectl(inNamespace(...args), options);

beforeAll(async () => {
  job = await startJobInCluster("cluster-connect-strict", {
    values: {
      streams: { end: "expiry", maxAgeMs: 1 },
      passThrough: { issuer: serviceAccountIssuer },
      impersonation: { nested: true, nestedExtraKeys: ["example.com/team"] },
    },
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
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

describe("a service account's token", () => {
  const account = `system:serviceaccount:${namespace}:deployer`;
  const whoami = ["auth", "whoami", "-o", "jsonpath={.status.userInfo}"];
  /** The job's kubeconfig with a token for its user. */
  const withToken = (token: string) => {
    const kubeconfig = parse(readFileSync(job.kubeconfig, "utf8")) as { users: { user: object }[] };
    for (const entry of kubeconfig.users) entry.user = { token };
    const file = join(folder, "with-token");
    writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
    return { env: { KUBECONFIG: file } };
  };
  const createToken = async (...args: string[]) =>
    (await job.node.kubectl(inNamespace("create", "token", "deployer", ...args))).stdout.trim();

  beforeAll(async () => {
    await job.node.kubectl(inNamespace("create", "serviceaccount", "deployer"));
    await job.node.kubectl(
      inNamespace(
        "create",
        "rolebinding",
        "deployer",
        "--clusterrole=edit",
        `--serviceaccount=${namespace}:deployer`,
      ),
    );
  });

  it("is passed through: the request runs as that account, with its own rights and no extras of ours", async () => {
    const from = job.node.auditEnd();
    const as = withToken(await createToken());
    const { stdout, stderr } = await job.kubectl(whoami, as);
    expect(stderr).toBe("");
    const user = JSON.parse(stdout) as { username: string; groups: string[]; extra?: object };
    expect(user.username).toBe(account);
    expect(user.groups).toContain("system:serviceaccounts");
    expect(JSON.stringify(user.extra)).not.toContain("cluster-connect.dev");
    expect((await kubectl(["get", "pods"], as)).stdout).toContain("box");
    expect((await kubectl(["exec", "box", "--", "echo", "through"], as)).stdout).toBe("through\n");
    const refused = await job.kubectl(["get", "nodes"], as);
    expect(refused.stderr).toContain(`User "${account}" cannot list resource "nodes"`);
    const asked = job.node.audit(from).filter(({ user }) => user.username === account);
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter(({ impersonatedUser }) => impersonatedUser !== undefined)).toEqual([]);
  });

  it("is what the action may be given instead of the job's identity, and shows nowhere", async () => {
    const token = await createToken();
    const step = await job.connect("by-token", { token, "context-name": "by-token" });
    expect(step.errors()).toEqual([]);
    expect(step.stdout).toContain(` as ${account} in `);
    const [signature = ""] = token.split(".").slice(-1);
    const shown = step.stdout.replaceAll(`::add-mask::${token}`, "") + job.clientProxyLog();
    expect(shown).not.toContain(signature);
    expect((await kubectl(["get", "pods"])).stdout).toContain("box");
    expect((await job.post("by-token")).warnings()).toEqual([]);
  });

  it("is the apiserver's to refuse once its account is gone, and the proxy's for any other audience", async () => {
    const token = await createToken();
    const elsewhere = await job.kubectl(whoami, withToken(await createToken("--audience", "elsewhere")));
    expect(elsewhere.code).not.toBe(0);
    const forged = await job.kubectl(whoami, withToken(`${token.slice(0, token.lastIndexOf("."))}.AAAA`));
    expect(forged.stderr).toContain("Unauthorized");
    await job.node.kubectl(inNamespace("delete", "serviceaccount", "deployer"));
    await eventually("the end of the token", 20_000, async () => {
      const { stderr } = await job.kubectl(whoami, withToken(token));
      return stderr.includes("Unauthorized") || undefined;
    });
  });
});

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

describe("a caller who acts as somebody else", () => {
  // Unlike `auth whoami` this shows what a refusal says.
  const review = join(folder, "review");
  const reviewPath = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const whoami = ["create", "--raw", reviewPath, "-f", review];
  interface UserInfo {
    readonly username: string;
    readonly groups: string[];
    readonly extra: Record<string, string[]>;
  }
  const alice = ["--as", "alice", "--as-group", "team", "--as-user-extra", "example.com/team=edge"];
  const rule = (apiGroups: string[], resources: string[], verbs: string[], more: object = {}) => ({
    apiGroups,
    resources,
    verbs,
    ...more,
  });
  const extras = ["userextras/example.com/team"];
  const authentication = ["authentication.k8s.io"];
  const user = rule(authentication, ["users"], ["impersonate:user-info"], { resourceNames: ["alice"] });
  const group = rule(authentication, ["groups"], ["impersonate:user-info"], { resourceNames: ["team"] });
  const extra = rule(authentication, extras, ["impersonate:user-info"]);
  const onReview = rule(authentication, ["selfsubjectreviews"], ["impersonate-on:user-info:create"]);
  const onPaths = { nonResourceURLs: ["*"], verbs: ["impersonate-on:user-info:get"] };
  const constrained = [user, group, extra, onReview, onPaths];
  const legacy = [
    rule([""], ["users"], ["impersonate"], { resourceNames: ["alice"] }),
    rule([""], ["groups"], ["impersonate"], { resourceNames: ["team"] }),
    rule(authentication, extras, ["impersonate"]),
  ];
  const grant = async (rules: object[]) => {
    const apiVersion = "rbac.authorization.k8s.io/v1";
    const metadata = { name: "caller-impersonates" };
    await job.node.apply({ apiVersion, kind: "ClusterRole", metadata, rules });
    await job.node.apply({
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: metadata.name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: caller }],
    });
  };
  /** Tries until the apiserver's caches have seen the grant, or the lack of it. */
  const outcome = (args: string[], expected: "allowed" | "refused") =>
    eventually(`${expected}: ${args.join(" ")}`, 15_000, async () => {
      const { code, stdout, stderr } = await job.kubectl(args);
      const isRefused = stderr.includes("ERR_AUTH_PROXY_IMPERSONATION_DENIED");
      return (expected === "allowed" ? code === 0 : isRefused) ? { stdout, stderr } : undefined;
    });

  beforeAll(async () => {
    writeFileSync(
      review,
      JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: {} }),
    );
    await job.node.kubectl(["delete", "clusterrolebinding", "caller-is-admin"]);
  });
  afterAll(async () => {
    await job.node.kubectl([
      "delete",
      "clusterrole,clusterrolebinding",
      "caller-impersonates",
      "--ignore-not-found",
    ]);
  });

  it.each([
    ["constrained", constrained],
    ["legacy", legacy],
  ])("does so by the %s rights, and stands in the audit log behind whom he became", async (_, rules) => {
    await grant(rules);
    const from = job.node.auditEnd();
    const { stdout } = await outcome([...whoami, ...alice], "allowed");
    const { userInfo: info } = (JSON.parse(stdout) as { status: { userInfo: UserInfo } }).status;
    expect(info.username).toBe("alice");
    expect(info.groups).toEqual(["team", "system:authenticated"]);
    expect(info.extra).toMatchObject({
      "example.com/team": ["edge"],
      "cluster-connect.dev/original-user": [caller],
      "cluster-connect.dev/repository": [jobClaims.repository],
    });
    const asAlice = job.node
      .audit(from)
      .filter(({ impersonatedUser }) => impersonatedUser?.username === "alice");
    expect(asAlice.length).toBeGreaterThan(0);
    for (const { impersonatedUser, authenticationMetadata } of asAlice) {
      expect(impersonatedUser!.extra!["cluster-connect.dev/original-user"]).toEqual([caller]);
      expect(authenticationMetadata?.impersonationConstraint).toBe("impersonate:user-info");
    }
  });

  it.each([
    ["the right to be that user", constrained.filter((each) => each !== user)],
    ["the right to be in that group", constrained.filter((each) => each !== group)],
    ["the right to that extra", constrained.filter((each) => each !== extra)],
    ["the right to do this as somebody", constrained.filter((each) => each !== onReview)],
    ["one legacy right", legacy.slice(1)],
    ["any right", []],
  ])("is refused without %s", async (_, rules) => {
    await grant(rules);
    const { stderr } = await outcome([...whoami, ...alice], "refused");
    expect(stderr).toContain(`"${caller}" cannot impersonate`);
  });

  it("is bound to the verbs that were granted, read off the request as the apiserver does", async () => {
    const pods = (verb: string) => rule([""], ["pods"], [`impersonate-on:user-info:${verb}`]);
    await grant([user, onPaths, pods("list")]);
    await job.node.kubectl(
      inNamespace("create", "rolebinding", "alice", "--clusterrole=view", "--user=alice"),
    );
    const get = (...args: string[]) => inNamespace("get", "--as", "alice", ...args);
    expect((await outcome(get("pods", "-o", "name"), "allowed")).stdout).toContain("pod/box");
    await outcome(get("pods", "box"), "refused");
    await outcome(get("--raw", `/api/v1/namespaces/${namespace}/pods?watch=1`), "refused");
    await outcome(inNamespace("delete", "pod", "box", "--as", "alice"), "refused");
    await grant([user, onPaths, pods("get")]);
    expect((await outcome(get("pods", "box", "-o", "name"), "allowed")).stdout).toContain("pod/box");
    await outcome(get("pods"), "refused");
  });

  it("becomes no part of the cluster, whatever he was granted", async () => {
    await grant([rule(["*"], ["*"], ["*"]), { nonResourceURLs: ["*"], verbs: ["*"] }]);
    await outcome([...whoami, "--as", "anybody"], "allowed");
    for (const somebody of [
      ["--as", "system:kube-controller-manager"],
      ["--as", "alice", "--as-group", "system:masters"],
      ["--as", `system:serviceaccount:kube-system:default`],
    ]) {
      const { code, stderr } = await job.kubectl([...whoami, ...somebody]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("ERR_IDENTITY_RESERVED")]);
    }
  });
});
