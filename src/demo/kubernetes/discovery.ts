/** As much discovery and OpenAPI as kubectl asks for before it does what it was told. */
import { reviewKinds } from "./reviews";
import { resources } from "./resources";

export const version = { major: "1", minor: "36", gitVersion: "v1.36.3-demo", platform: "demo" };

const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];

const coreResources = [
  ...resources.map(({ plural, singular, shortName, kind, namespaced }) => ({
    name: plural,
    singularName: singular,
    shortNames: [shortName],
    kind,
    namespaced,
    verbs,
  })),
  { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] },
  { name: "pods/exec", singularName: "", namespaced: true, kind: "PodExecOptions", verbs: ["create", "get"] },
];

const reviews = Object.entries(reviewKinds).map(([path, kind]) => {
  const [, , group = "", , plural = ""] = path.split("/");
  return { group, plural, kind };
});
const groups = [...new Set(reviews.map(({ group }) => group))];

const groupDocument = (group: string) => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: `${group}/v1`,
  resources: reviews
    .filter((review) => review.group === group)
    .map(({ plural, kind }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced: false,
      kind,
      verbs: ["create"],
    })),
});

/** kubectl looks here whether the server itself checks fields; it says so for each kind, and lets them all pass. */
const openApi = {
  openapi: "3.0.0",
  info: { title: "Cluster Connect demo", version: version.gitVersion },
  paths: Object.fromEntries(
    resources.map(({ plural, kind, namespaced }) => [
      `/api/v1${namespaced ? "/namespaces/{namespace}" : ""}/${plural}/{name}`,
      {
        patch: {
          parameters: [{ name: "fieldValidation", in: "query", schema: { type: "string" } }],
          responses: {},
          "x-kubernetes-action": "patch",
          "x-kubernetes-group-version-kind": { group: "", version: "v1", kind },
        },
      },
    ]),
  ),
};

/** Documents by path. */
export const discovery: Readonly<Record<string, unknown>> = {
  "/version": version,
  "/api": { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] },
  "/apis": {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.map((name) => {
      const only = { groupVersion: `${name}/v1`, version: "v1" };
      return { name, versions: [only], preferredVersion: only };
    }),
  },
  "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources: coreResources },
  ...Object.fromEntries(groups.map((group) => [`/apis/${group}/v1`, groupDocument(group)])),
  "/openapi/v3": { paths: { "api/v1": { serverRelativeURL: "/openapi/v3/api/v1?hash=demo" } } },
  "/openapi/v3/api/v1": openApi,
};
