/** The chart's pod in a real node: what it may do, what it may not, and what outlives it. */
import { requestExtraKeys } from "../../src/auth-proxy/request-extras";
import { startIssuer, type TestIssuer } from "../support/issuer";
import { attachNode, serviceAccountIssuer } from "./node";
import { createRelease, importProductImage, type AgentRelease } from "./support/agent-release";
import { startRelayProcess, type RelayProcess } from "./support/relay";

const node = attachNode();
const namespace = "cluster-connect";
let issuer: TestIssuer;
let relay: RelayProcess;
let release: AgentRelease;

const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await node.kubectl(["--namespace", namespace, ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
};
const account = () => `system:serviceaccount:${namespace}:${release.fullName}`;
/** Runs a script with the Node of a container of the pod: there is no shell in the image. */
const inContainer = (container: string, script: string) =>
  kubectl("exec", `deployment/${release.fullName}`, "-c", container, "--", "node", "-e", script);
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
const print = (path: string) => `process.stdout.write(fs.readFileSync('${path}','utf8'))`;
/** Straight to the apiserver, by a token and nothing else. */
const withToken = (token: string, ...args: string[]) => {
  const { addresses, caFile } = node.state;
  const asked = [
    "--server",
    `https://${addresses.node}`,
    "--certificate-authority",
    caFile,
    "--token",
    token,
  ];
  return node.kubectl([...asked, ...args], { env: { KUBECONFIG: "/dev/null" } });
};
/** As the auth proxy might, were it not for its code. */
const asAuthProxy = async (...args: string[]) =>
  withToken(await kubectl("create", "token", release.fullName), ...args);
const values = (overrides: object = {}) => ({
  cluster: "plant-7",
  relay: { url: relay.url, ca: relay.caPem },
  authentication: {
    jwt: [
      {
        issuer: { url: issuer.url, audiences: ["cluster-connect/plant-7"], jwks: issuer.jwks() },
        claimMappings: {
          username: { claim: "sub", prefix: "github:" },
          groups: { claim: "groups", prefix: "github:" },
        },
      },
    ],
  },
  terminationGracePeriodSeconds: 60,
  ...overrides,
});

beforeAll(async () => {
  await importProductImage(node);
  issuer = await startIssuer({ tls: true });
  release = await createRelease(node, namespace);
  relay = await startRelayProcess({
    host: node.state.addresses.host,
    issuers: [
      { issuer: { url: serviceAccountIssuer, jwks: await node.serviceAccountKeys() } },
      { issuer: { url: issuer.url, jwks: issuer.jwks() } },
    ],
    clusters: [
      {
        name: "plant-7",
        agents: { serviceAccounts: [{ issuer: serviceAccountIssuer, subject: account() }] },
        clients: { allow: [{ issuer: issuer.url, claims: { sub: "repo:octo/app:environment:production" } }] },
      },
    ],
  });
  await release.deploy(values());
}, 180_000);

afterAll(async () => {
  await node.kubectl(["delete", "namespace", namespace, "--wait=true", "--timeout=90s"]);
  await relay.close();
  await issuer.close();
}, 120_000);

describe("the agent's pod", () => {
  it("becomes ready in a namespace that admits restricted pods only, registered at the relay", async () => {
    const path = "jsonpath={.items[*].status.containerStatuses[*].ready}";
    expect(await kubectl("get", "pods", "-o", path)).toBe("true true");
  });

  it("tells by its notes the pin of the CA that the auth proxy made and logged", async () => {
    const pin = await release.caPin();
    expect(pin).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await kubectl("logs", `deployment/${release.fullName}`, "-c", "auth-proxy")).toContain(pin);
  });

  it("gives the agent no token but one that the apiserver refuses", async () => {
    const token = await inContainer("agent", print("/var/run/secrets/cluster-connect/token"));
    const { code, stderr } = await withToken(token, "auth", "whoami");
    expect(code).not.toBe(0);
    expect(stderr).toContain("Unauthorized");
    await expect(inContainer("agent", print(`${serviceAccountFolder}/token`))).rejects.toThrow("ENOENT");
  });

  it("lets the agent use the auth proxy's socket and change nothing beside it", async () => {
    const connect =
      "net.connect('/run/cluster-connect/api.sock',()=>process.exit(0)).on('error',e=>{throw e})";
    await inContainer("agent", connect);
    const write = "fs.writeFileSync('/run/cluster-connect/api.sock.ca.pem','')";
    await expect(inContainer("agent", write)).rejects.toThrow("EROFS");
    await expect(inContainer("agent", print("/etc/cluster-connect/auth-proxy.yaml"))).rejects.toThrow(
      "ENOENT",
    );
  });

  it.each(["agent", "auth-proxy"])(
    "runs the %s as nobody in particular, on a read-only file system",
    async (name) => {
      const script = "process.stdout.write(String(process.getuid()));fs.writeFileSync('/app/x','')";
      await expect(inContainer(name, script)).rejects.toThrow("EROFS");
      expect(
        Number(await inContainer(name, "process.stdout.write(String(process.getuid()))")),
      ).toBeGreaterThan(10_000);
    },
  );

  it("lets its service account read and replace one Secret, and create none", async () => {
    const may = async (...words: string[]) =>
      (await node.kubectl(["-n", namespace, "auth", "can-i", ...words, "--as", account()])).stdout.trim();
    expect(await may("get", "secrets/cluster-connect-tls")).toBe("yes");
    expect(await may("update", "secrets/cluster-connect-tls")).toBe("yes");
    for (const refused of [
      ["get", "secrets/another"],
      ["list", "secrets"],
      ["create", "secrets"],
      ["delete", "secrets/cluster-connect-tls"],
      ["get", "pods"],
      ["impersonate", "users"],
      ["get", "nodes/proxy"],
    ]) {
      expect([refused, await may(...refused)]).toEqual([refused, "no"]);
    }
  });

  it("may act as a caller, and never as the cluster's masters, a node or a service account", async () => {
    const extra = Object.fromEntries(requestExtraKeys.map((key) => [key, [`${key}-1`]]));
    const extras = requestExtraKeys.flatMap((key) => ["--as-user-extra", `${key}=${key}-1`]);
    const whoami = ["auth", "whoami", "-o", "jsonpath={.status.userInfo}"];
    const alice = await asAuthProxy(
      ...whoami,
      "--as",
      "github:alice",
      "--as-group",
      "github:team",
      ...extras,
    );
    expect(alice.stderr).toBe("");
    expect(JSON.parse(alice.stdout)).toEqual({
      username: "github:alice",
      groups: ["github:team", "system:authenticated"],
      extra,
    });
    for (const somebody of [
      ["--as", "github:alice", "--as-group", "system:masters"],
      ["--as", "system:node:node", "--as-group", "system:nodes"],
      ["--as", account()],
      ["--as", "github:alice", "--as-uid", "7"],
      ["--as", "github:alice", "--as-user-extra", "example.com/other=x"],
    ]) {
      const { code, stderr } = await asAuthProxy("get", "--raw", "/version", ...somebody);
      expect([somebody, code]).toEqual([somebody, 1]);
      expect(stderr).toContain("forbidden");
    }
  });

  it("acts as a caller by the legacy right too, where a cluster knows no other", async () => {
    await release.deploy(values({ impersonation: { mode: "legacy" } }));
    const whoami = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];
    const extras = requestExtraKeys.flatMap((key) => ["--as-user-extra", `${key}=x`]);
    const alice = ["--as", "github:alice", "--as-group", "github:team", ...extras];
    expect(await asAuthProxy(...whoami, ...alice)).toMatchObject({ stderr: "", stdout: "github:alice" });
    for (const refused of [
      ["--as", "github:alice", "--as-user-extra", "example.com/other=x"],
      ["--as", "github:alice", "--as-uid", "7"],
      ["--as", account()],
    ]) {
      const { code, stderr } = await asAuthProxy("get", "--raw", "/version", ...refused);
      expect([refused, code, stderr]).toEqual([refused, 1, expect.stringContaining("forbidden")]);
    }
    const role = await kubectl(
      "get",
      "clusterrole",
      `${namespace}:${release.fullName}:impersonate`,
      "-o",
      "json",
    );
    expect(role).not.toContain("user-info");
  });

  it("keeps its CA over an upgrade, an uninstall and an installation anew", async () => {
    const pin = await release.caPin();
    await release.deploy(values({ upgrades: { spdy: "refuse" } }));
    expect(await release.caPin()).toBe(pin);
    await release.uninstall();
    await kubectl("wait", "--for=delete", "pod", "--all", "--timeout=20s");
    const left = await kubectl(
      "get",
      "all,secrets,configmaps,serviceaccounts,roles,networkpolicies",
      "-o",
      "name",
    );
    expect(left.split("\n").sort()).toEqual([
      "configmap/kube-root-ca.crt",
      "secret/cluster-connect-tls",
      "serviceaccount/default",
    ]);
    await release.deploy(values());
    expect(await release.caPin()).toBe(pin);
  }, 240_000);
});
