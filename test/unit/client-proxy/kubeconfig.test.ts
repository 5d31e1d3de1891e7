import { parse } from "yaml";
import {
  currentContextOf,
  isOurs,
  mergeKubeconfig,
  readEntry,
  removeFromKubeconfig,
  renderKubeconfig,
  type KubeconfigEntry,
} from "../../../src/client-proxy/kubeconfig";

const caPem = "-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----\n";
const entry: KubeconfigEntry = {
  name: "plant-7",
  server: "https://127.0.0.1:4321",
  tlsServerName: "abc.cluster-connect.internal",
  ca: { kind: "pem", pem: caPem },
  namespace: "apps",
  user: {
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "/bin/cat",
      args: ["/tmp/a b/credential.json"],
      interactiveMode: "Never",
      provideClusterInfo: false,
    },
  },
};
/** As the Azure Arc backend has it. */
const byToken: KubeconfigEntry = {
  name: "plant-8",
  server: "https://127.0.0.1:1234/proxies/a1",
  tlsServerName: undefined,
  ca: { kind: "file", path: "/instance/ca.pem" },
  namespace: undefined,
  user: { token: "opaque" },
};
const own = `apiVersion: v1
kind: Config
preferences: { colors: true }
clusters: [{ name: mine, cluster: { server: https://mine } }]
contexts: [{ name: mine, context: { cluster: mine, user: mine } }]
users: [{ name: mine, user: { token: secret } }]
current-context: mine
`;

describe("a kubeconfig", () => {
  it("names one cluster, whose user prints a file", () => {
    expect(parse(renderKubeconfig(entry))).toEqual({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "plant-7",
          cluster: {
            server: "https://127.0.0.1:4321",
            "tls-server-name": "abc.cluster-connect.internal",
            "certificate-authority-data": Buffer.from(caPem).toString("base64"),
            extensions: [{ name: "cluster-connect.dev", extension: {} }],
          },
        },
      ],
      contexts: [{ name: "plant-7", context: { cluster: "plant-7", user: "plant-7", namespace: "apps" } }],
      users: [
        {
          name: "plant-7",
          user: {
            exec: {
              apiVersion: "client.authentication.k8s.io/v1",
              command: "/bin/cat",
              args: ["/tmp/a b/credential.json"],
              interactiveMode: "Never",
              provideClusterInfo: false,
            },
          },
        },
      ],
      "current-context": "plant-7",
    });
  });

  it("is read back as the entry that it was made of, with and without a namespace", () => {
    expect(readEntry(renderKubeconfig(entry))).toEqual(entry);
    const { namespace: _, ...bare } = entry;
    expect(renderKubeconfig(bare)).not.toContain("namespace");
    expect(readEntry(renderKubeconfig(bare))).toEqual({ ...bare, namespace: undefined });
  });

  it("may have any user, a CA by file, and no name for TLS", () => {
    const text = renderKubeconfig(byToken);
    expect(readEntry(text)).toEqual(byToken);
    const { clusters } = parse(text) as { clusters: [{ cluster: object }] };
    expect(Object.keys(clusters[0].cluster)).toEqual(["server", "certificate-authority", "extensions"]);
    expect(isOurs(mergeKubeconfig(renderKubeconfig(entry), byToken))).toBe(true);
  });

  it("keeps names that YAML would take for something else", () => {
    const odd = { ...entry, name: "007", namespace: "null" };
    expect(readEntry(renderKubeconfig(odd))).toEqual(odd);
  });

  it.each(["", own, "a: [", mergeKubeconfig(own, entry)])(
    "of several entries, or none, is no entry",
    (text) => {
      expect(() => readEntry(text)).toThrow();
    },
  );
});

describe("merging into a kubeconfig", () => {
  it("adds ours, makes it current, and leaves everything else as it was", () => {
    const merged = parse(mergeKubeconfig(own, entry)) as Record<string, { name: string }[]>;
    expect(merged["clusters"]?.map(({ name }) => name)).toEqual(["mine", "plant-7"]);
    expect(merged).toMatchObject({
      "current-context": "plant-7",
      preferences: { colors: true },
      users: [{ name: "mine", user: { token: "secret" } }, { name: "plant-7" }],
    });
  });

  it("and taking out again gives back what there was, its current context included", () => {
    const merged = mergeKubeconfig(own, entry);
    expect(parse(removeFromKubeconfig(merged, "plant-7", currentContextOf(own)))).toEqual(parse(own));
  });

  it("leaves the current context alone that somebody has chosen since", () => {
    const chosen = mergeKubeconfig(own, entry).replace("current-context: plant-7", "current-context: other");
    expect(currentContextOf(removeFromKubeconfig(chosen, "plant-7", "mine"))).toBe("other");
  });

  it("begins a file that was empty or absent", () => {
    const merged = mergeKubeconfig("", entry);
    expect(parse(merged)).toMatchObject({ apiVersion: "v1", kind: "Config" });
    expect(currentContextOf(removeFromKubeconfig(merged, "plant-7", undefined))).toBe("");
  });

  it("takes lists that are written as null for empty ones", () => {
    const text = "apiVersion: v1\nkind: Config\nclusters: null\ncontexts:\nusers: []\n";
    expect(readEntry(mergeKubeconfig(text, entry))).toEqual(entry);
  });

  it.each(["clusters", "contexts", "users"])("never replaces an entry of that name among the %s", (list) => {
    const taken = `apiVersion: v1\nkind: Config\n${list}: [{ name: plant-7 }]\n`;
    expect(() => mergeKubeconfig(taken, entry)).toThrow(
      expect.objectContaining({ code: "ERR_KUBECONFIG_CLASH", detail: `${list}: plant-7` }),
    );
  });

  it.each(["a: [", "just text", "- a list", "clusters: { no: list }", "clusters: [{ nameless: true }]"])(
    "refuses %p",
    (text) => {
      expect(() => mergeKubeconfig(text, entry)).toThrow(
        expect.objectContaining({ code: "ERR_KUBECONFIG_UNREADABLE" }),
      );
    },
  );
});

describe("a file of ours", () => {
  it("has nothing in it but what we wrote", () => {
    expect(isOurs(renderKubeconfig(entry))).toBe(true);
    expect(isOurs(mergeKubeconfig(renderKubeconfig(entry), { ...entry, name: "other" }))).toBe(true);
  });

  it.each([own, mergeKubeconfig(own, entry), "", "a: [", "clusters: []"])("is not %p", (text) => {
    expect(isOurs(text)).toBe(false);
  });
});
