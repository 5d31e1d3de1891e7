/** The kinds that the embedded API keeps, all of them in the core group. */
export interface Resource {
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export const resources = [
  { plural: "namespaces", singular: "namespace", shortName: "ns", kind: "Namespace", namespaced: false },
  { plural: "configmaps", singular: "configmap", shortName: "cm", kind: "ConfigMap", namespaced: true },
  { plural: "pods", singular: "pod", shortName: "po", kind: "Pod", namespaced: true },
] as const satisfies readonly Resource[];

/** What the path of a request names. */
export interface Target {
  readonly resource: Resource;
  /** Of a namespaced resource; undefined for all of them. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Reads `/api/v1[/namespaces/NAMESPACE]/RESOURCE[/NAME[/SUBRESOURCE]]`; undefined for any other path. */
export function readTarget(path: string): Target | undefined {
  const [empty, api, version, ...rest] = path.split("/").map(decodeURIComponent);
  if (empty !== "" || api !== "api" || version !== "v1" || rest.length > 5) return undefined;
  const isNamespaced = rest[0] === "namespaces" && rest.length > 2;
  const namespace = isNamespaced ? rest[1] : undefined;
  const [plural, name, subresource, ...more] = isNamespaced ? rest.slice(2) : rest;
  const resource = resources.find((known) => known.plural === plural);
  if (resource === undefined || more.length > 0 || (isNamespaced && !resource.namespaced)) return undefined;
  // An object of a namespaced resource is found in its namespace alone.
  if (resource.namespaced && namespace === undefined && name !== undefined) return undefined;
  return { resource, namespace, name, subresource };
}
