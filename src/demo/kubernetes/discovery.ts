/** As much discovery as kubectl asks for. */
const verbs = ["get", "list", "watch", "create", "update", "delete"];

const resources = [
  {
    name: "configmaps",
    singularName: "configmap",
    namespaced: true,
    kind: "ConfigMap",
    verbs,
    shortNames: ["cm"],
  },
  {
    name: "pods",
    singularName: "pod",
    namespaced: true,
    kind: "Pod",
    verbs: ["get", "list", "watch"],
    shortNames: ["po"],
  },
  { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] },
  { name: "pods/exec", singularName: "", namespaced: true, kind: "PodExecOptions", verbs: ["create", "get"] },
];

const groupOf = (name: string) => ({
  name,
  versions: [{ groupVersion: `${name}/v1`, version: "v1" }],
  preferredVersion: { groupVersion: `${name}/v1`, version: "v1" },
});

const reviews = (groupVersion: string, kinds: readonly string[]) => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion,
  resources: kinds.map((kind) => ({
    name: `${kind.toLowerCase()}s`,
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ["create"],
  })),
});

export const version = { major: "1", minor: "36", gitVersion: "v1.36.3-demo", platform: "demo" };

/** Documents by path. */
export const discovery: Readonly<Record<string, unknown>> = {
  "/version": version,
  "/api": { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] },
  "/apis": {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: [groupOf("authentication.k8s.io"), groupOf("authorization.k8s.io")],
  },
  "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources },
  "/apis/authentication.k8s.io/v1": reviews("authentication.k8s.io/v1", ["SelfSubjectReview"]),
  "/apis/authorization.k8s.io/v1": reviews("authorization.k8s.io/v1", [
    "SelfSubjectAccessReview",
    "SelfSubjectRulesReview",
  ]),
};
