/** What the chart makes of its values: no cluster takes part, helm alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { agentSettings } from "../../src/agent/settings";
import { originalExtraKeys, requestExtraKeys } from "../../src/auth-proxy/request-extras";
import { authProxySettings } from "../../src/auth-proxy/settings";
import { validateSettings } from "../../src/runtime/settings";
import { attachNode } from "./node";
import { chart } from "./support/agent-release";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly data?: Record<string, string>;
  readonly rules?: {
    apiGroups?: string[];
    resources?: string[];
    verbs: string[];
    resourceNames?: string[];
  }[];
  readonly spec?: Record<string, unknown>;
}

const node = attachNode();
const leastValues = join(__dirname, "chart/values.yaml");
const folder = mkdtempSync(join(tmpdir(), "cluster-connect-chart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const arguments_ = (values: object, rest: string[]) => {
  const file = join(folder, "values.json");
  writeFileSync(file, JSON.stringify(values));
  return ["-f", leastValues, "-f", file, ...rest];
};

async function render(values: object = {}, version = "1.36.3"): Promise<Manifest[]> {
  const rest = ["--namespace", "edge", "--kube-version", version];
  const { code, stdout, stderr } = await node.helm(["template", "plant", chart, ...arguments_(values, rest)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

async function refusal(values: object): Promise<string> {
  const { code, stderr } = await node.helm(["template", "plant", chart, ...arguments_(values, [])]);
  expect(code).not.toBe(0);
  return stderr;
}

const only = (manifests: Manifest[], kind: string, name = ""): Manifest => {
  const found = manifests.filter(
    (manifest) => manifest.kind === kind && manifest.metadata.name.includes(name),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
};
const configurations = (manifests: Manifest[]) => ({
  agent: parse(only(manifests, "ConfigMap", "-agent-agent").data!["agent.yaml"]!) as object,
  authProxy: parse(only(manifests, "ConfigMap", "-auth-proxy").data!["auth-proxy.yaml"]!) as object,
});
const verbsOf = (manifests: Manifest[]) =>
  only(manifests, "ClusterRole").rules!.flatMap(({ verbs }) => verbs);
const attributesOf = (manifests: Manifest[]) =>
  only(manifests, "ClusterRole")
    .rules!.filter(({ verbs }) => verbs.some((verb) => /^impersonate(:user-info)?$/.test(verb)))
    .flatMap(({ apiGroups = [], resources = [] }) => resources.map((name) => `${apiGroups.join()}/${name}`));
const issuer = { url: "https://issuer.example", audiences: ["a"] };
const username = { claim: "sub", prefix: "x:" };
const requestExtras = requestExtraKeys.map((key) => `authentication.k8s.io/userextras/${key}`);

describe("the agent's chart", () => {
  it("passes helm's linter, warnings included", async () => {
    const { code, stdout } = await node.helm(["lint", "--strict", chart, "-f", leastValues]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("0 chart(s) failed") });
  });

  it.each(["cluster-connect", "cluster-connect-agent"])(
    "names its objects cluster-connect-agent as release %s",
    async (name) => {
      const { stdout } = await node.helm([
        "template",
        name,
        chart,
        "-f",
        leastValues,
        "-s",
        "templates/deployment.yaml",
      ]);
      expect(parse(stdout)).toMatchObject({ metadata: { name: "cluster-connect-agent" } });
    },
  );

  it("makes of the least values what the snapshot shows", async () => {
    expect(await render()).toMatchSnapshot();
  });

  it.each([
    ["the least values", {}],
    ["a key at the relay", { relay: { key: { name: "agents", secret: "relay-key" } } }],
    [
      "a private CA and further hosts",
      { relay: { ca: "-----BEGIN CERTIFICATE-----\n", rendezvousHosts: [".x.example"] } },
    ],
    [
      "bounds of every kind",
      {
        agent: { limits: { sessions: 5, heldBytes: 268_435_456 } },
        authProxy: {
          limits: { requests: 9, headerBytes: 1_048_576 },
          tokenLimits: {},
          forwardHeaders: ["Cookie"],
        },
        upgrades: { spdy: "refuse" },
        streams: { end: "maxAge", maxAgeMs: 7_200_000 },
        passThrough: { issuer: "https://kubernetes.default.svc", audiences: ["api"] },
        impersonation: { maxGroups: 20, allowSystemNames: true },
      },
    ],
  ])("writes configuration that both processes accept, with %s", async (_, values) => {
    const { agent, authProxy } = configurations(await render(values));
    validateSettings(agent, agentSettings, "agent.yaml");
    validateSettings(authProxy, authProxySettings, "auth-proxy.yaml");
  });

  it("passes the cluster's own tokens through only where their issuer is named", async () => {
    const passThrough = async (values: object) =>
      (configurations(await render({ passThrough: values })).authProxy as { passThrough?: object })
        .passThrough;
    expect(await passThrough({})).toBeUndefined();
    expect(await passThrough({ audiences: ["api"] })).toBeUndefined();
    expect(await passThrough({ issuer: "https://k8s" })).toEqual({ issuer: "https://k8s" });
    expect(await passThrough({ issuer: "https://k8s", audiences: ["api"] })).toEqual({
      issuer: "https://k8s",
      audiences: ["api"],
    });
  });

  it("lets both processes stop within the pod's grace period, the auth proxy first", async () => {
    const { agent, authProxy } = configurations(await render({ terminationGracePeriodSeconds: 100 }));
    expect(agent).toMatchObject({ limits: { drainMs: 90_000 } });
    expect(authProxy).toMatchObject({ limits: { drainMs: 55_000 } });
  });

  it("grants constrained impersonation from Kubernetes 1.36 on, and the legacy verb nowhere", async () => {
    for (const version of ["1.36.0", "1.36.0-gke.100", "1.37.1"]) {
      const verbs = verbsOf(await render({}, version));
      expect(verbs).toContain("impersonate:user-info");
      expect(verbs).not.toContain("impersonate");
    }
  });

  it("grants the legacy verb below 1.36, and nothing of the constrained kind", async () => {
    expect(new Set(verbsOf(await render({}, "1.35.9")))).toEqual(new Set(["impersonate"]));
  });

  it("lets the mode be chosen, whatever the cluster's version", async () => {
    expect(verbsOf(await render({ impersonation: { mode: "legacy" } }))).not.toContain(
      "impersonate:user-info",
    );
    expect(verbsOf(await render({ impersonation: { mode: "constrained" } }, "1.30.0"))).not.toContain(
      "impersonate",
    );
  });

  it("grants no kind of attribute that the configuration cannot produce", async () => {
    expect(attributesOf(await render())).toEqual(["authentication.k8s.io/users", ...requestExtras]);
    const claimMappings = {
      username,
      groups: { claim: "groups", prefix: "" },
      uid: { claim: "oid" },
      extra: [{ key: "example.com/run", valueExpression: "claims.run_id" }],
    };
    expect(
      attributesOf(await render({ authentication: { jwt: [{ issuer, claimMappings }] } }, "1.30.0")),
    ).toEqual([
      "/users",
      "/groups",
      "authentication.k8s.io/uids",
      ...requestExtras,
      "authentication.k8s.io/userextras/example.com/run",
    ]);
  });

  it("grants what a caller's impersonation takes, and the question whether he may, where that is enabled", async () => {
    const impersonation = { nested: true, nestedExtraKeys: ["example.com/team"] };
    for (const version of ["1.30.0", "1.36.3"]) {
      const manifests = await render({ impersonation }, version);
      const constrained = version === "1.36.3";
      const named = constrained ? "authentication.k8s.io" : "";
      expect(attributesOf(manifests)).toEqual([
        `${named}/users`,
        `${named}/groups`,
        "authentication.k8s.io/uids",
        ...requestExtras,
        ...originalExtraKeys.map((key) => `authentication.k8s.io/userextras/${key}`),
        "authentication.k8s.io/userextras/example.com/team",
      ]);
      expect(only(manifests, "ClusterRole").rules).toContainEqual({
        apiGroups: ["authorization.k8s.io"],
        resources: ["subjectaccessreviews"],
        verbs: ["create"],
      });
      expect(configurations(manifests).authProxy).toMatchObject({
        impersonation: { nested: true, constrained, maxGroups: 200 },
      });
      validateSettings(configurations(manifests).authProxy, authProxySettings, "auth-proxy.yaml");
    }
    expect(JSON.stringify(only(await render(), "ClusterRole"))).not.toContain("subjectaccessreviews");
  });

  it("narrows users and groups to the names that are listed", async () => {
    const jwt = [{ issuer, claimMappings: { username, groups: { claim: "groups", prefix: "" } } }];
    const impersonation = { users: ["x:one"], groups: ["deployers"] };
    const { rules } = only(await render({ authentication: { jwt }, impersonation }), "ClusterRole");
    const namesFor = (resource: string) =>
      rules!.find(({ resources }) => resources?.includes(resource))?.resourceNames;
    expect(namesFor("users")).toEqual(["x:one"]);
    expect(namesFor("groups")).toEqual(["deployers"]);
  });

  it("opens no way in, and ways out only on the ports of relay, issuers, apiserver and DNS", async () => {
    const values = {
      relay: { url: "https://relay.example.com:8443" },
      networkPolicy: { relay: { cidrs: ["192.0.2.0/24"] }, apiserver: { ports: [443] } },
    };
    const { spec } = only(await render(values), "NetworkPolicy");
    expect(spec).toMatchObject({ policyTypes: ["Ingress", "Egress"], ingress: [] });
    expect(spec!["egress"]).toEqual([
      { ports: [{ protocol: "TCP", port: 8443 }], to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] },
      { ports: [{ protocol: "TCP", port: 443 }] },
      { ports: [{ protocol: "TCP", port: 443 }] },
      {
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ]);
  });

  it("needs no way to an issuer whose keys it was given", async () => {
    const jwks = { keys: [{ kty: "EC" }] };
    const jwt = [{ issuer: { ...issuer, jwks }, claimMappings: { username } }];
    const { spec } = only(await render({ authentication: { jwt } }), "NetworkPolicy");
    expect(spec!["egress"]).toHaveLength(3);
  });

  it("gives another pod template to another configuration", async () => {
    const template = async (values: object) =>
      (only(await render(values), "Deployment").spec as { template: object }).template;
    expect(await template({ upgrades: { spdy: "refuse" } })).not.toEqual(await template({}));
    expect(await template({})).toEqual(await template({}));
  });

  it.each([
    ["an unknown value", { clutser: "x" }, "clutser"],
    ["an unknown value further in", { relay: { uri: "x" } }, "uri"],
    ["no cluster", { cluster: "" }, "/cluster"],
    ["a relay without TLS", { relay: { url: "http://relay.example.com" } }, "/relay/url"],
    ["no issuer", { authentication: { jwt: [] } }, "/authentication/jwt"],
    [
      "an issuer without audience",
      { authentication: { jwt: [{ issuer: { url: issuer.url }, claimMappings: { username } }] } },
      "audiences",
    ],
    ["a key's name without its Secret", { relay: { key: { name: "agents" } } }, "/relay/key/secret"],
    ["both kinds of impersonation", { impersonation: { mode: "both" } }, "/impersonation/mode"],
    ["more pods than a relay takes listeners", { replicas: 26 }, "/replicas"],
    [
      "a grace period in which nothing could end",
      { terminationGracePeriodSeconds: 10 },
      "/terminationGracePeriodSeconds",
    ],
  ])("refuses %s and names it", async (_, values, named) => {
    expect(await refusal(values)).toContain(named);
  });
});
