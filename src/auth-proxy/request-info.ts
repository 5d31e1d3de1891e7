/**
 * What a request asks for, in RBAC's terms: verb, resource, namespace, name. Read off method and target in the way
 * of the apiserver's own RequestInfo, because a grant of constrained impersonation names a verb and a resource, and
 * a request that meant one thing here and another one there would be a way around it. Where the two could disagree,
 * this one refuses, or claims less.
 */
import { ClusterConnectError } from "../runtime/errors";
import { withoutTrailingSlashes } from "../runtime/trailing-slashes";

export interface ResourceRequest {
  readonly kind: "resource";
  /** `""` for a method that means nothing to a resource. */
  readonly verb: string;
  /** `""` for the core group. */
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** As they stand in the query; only where the verb takes them. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface NonResourceRequest {
  readonly kind: "non-resource";
  /** The method, in lower case. */
  readonly verb: string;
  readonly path: string;
}

export type RequestInfo = ResourceRequest | NonResourceRequest;

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
/** `/api/v1/watch/…` and `/api/v1/proxy/…`, where the path says the verb. */
const pathVerbs = new Set(["proxy", "watch"]);
const namespaceSubresources = new Set(["status", "finalize"]);
const verbsWithSelectors = new Set(["list", "watch", "deletecollection"]);

/** Throws ERR_AUTH_PROXY_MALFORMED_REQUEST for a target that Go and this reader could take for different ones. */
export function requestInfoOf(request: { readonly method: string; readonly target: string }): RequestInfo {
  const at = request.target.indexOf("?");
  const path = decode(at < 0 ? request.target : request.target.slice(0, at));
  const query = new Query(at < 0 ? "" : request.target.slice(at + 1));
  const parts = withoutTrailingSlashes(path).replace(/^\/+/, "").split("/");
  const [prefix = "", ...rest] = parts;
  const isCore = prefix === "api";
  if (parts.length < (isCore ? 3 : 4) || !(isCore || prefix === "apis")) {
    return { kind: "non-resource", verb: request.method.toLowerCase(), path };
  }
  const [group, version, ...segments] = isCore ? ["", ...rest] : rest;
  return resourceRequest(request.method, { group: group ?? "", version: version ?? "" }, segments, query);
}

function resourceRequest(
  method: string,
  api: Pick<ResourceRequest, "group" | "version">,
  segments: readonly string[],
  query: Query,
): ResourceRequest {
  const isVerbInPath = pathVerbs.has(segments[0] ?? "");
  if (isVerbInPath && segments.length < 2) throw malformed("a target that names no resource");
  const scoped = isVerbInPath ? segments.slice(1) : segments;
  let verb = isVerbInPath ? (segments[0] ?? "") : (verbs[method] ?? "");
  const { namespace, parts } = unscope(scoped);
  const [resource = "", namedInPath = "", third = ""] = parts;
  let name = namedInPath;
  if (name === "" && verb === "get") {
    verb = query.isWatch ? "watch" : "list";
    name = query.nameInSelector;
  }
  if (name === "" && verb === "delete") verb = "deletecollection";
  const hasSelectors = !isVerbInPath && verbsWithSelectors.has(verb);
  const fieldSelector = hasSelectors ? query.first("fieldSelector") : undefined;
  const labelSelector = hasSelectors ? query.first("labelSelector") : undefined;
  return {
    kind: "resource",
    verb,
    ...api,
    namespace,
    resource,
    subresource: verb === "proxy" ? "" : third,
    name,
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(labelSelector ? { labelSelector } : {}),
  };
}

/** `namespaces/a/pods/b` is pod b in namespace a; `namespaces/a` and `namespaces/a/status` are a itself, in itself. */
function unscope(segments: readonly string[]): { namespace: string; parts: readonly string[] } {
  if (segments[0] !== "namespaces" || segments.length < 2) return { namespace: "", parts: segments };
  const isInside = segments.length > 2 && !namespaceSubresources.has(segments[2] ?? "");
  return { namespace: segments[1] ?? "", parts: isInside ? segments.slice(2) : segments };
}

class Query {
  readonly #pairs: readonly (readonly [name: string, value: string])[];

  constructor(text: string) {
    // Go drops such a pair, and other readers do not.
    if (text.includes(";")) throw malformed("a query with a semicolon");
    this.#pairs = text
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => {
        const at = pair.indexOf("=");
        const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
        return [decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " "))];
      });
  }

  first(name: string): string | undefined {
    return this.#pairs.find(([key]) => key === name)?.[1];
  }

  /** Kubernetes takes every value for true but two. */
  get isWatch(): boolean {
    const value = this.first("watch")?.toLowerCase();
    return value !== undefined && value !== "false" && value !== "0";
  }

  /**
   * The one name that a list is narrowed to, or `""`. The apiserver finds it in more selectors than this; where it is
   * not found, a grant for certain names does not hold.
   */
  get nameInSelector(): string {
    const isPlain = ["limit", "timeoutSeconds"].every((name) => /^\d{1,18}$/.test(this.first(name) ?? "0"));
    if (!isPlain || this.first("labelSelector") !== undefined) return "";
    const [, name = ""] = /^metadata\.name==?([^,=!\\/%]+)$/.exec(this.first("fieldSelector") ?? "") ?? [];
    return name === "." || name === ".." ? "" : name;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw malformed("a target with an escape that is none, or is not UTF-8", error);
  }
}

const malformed = (detail: string, cause?: unknown) =>
  new ClusterConnectError("ERR_AUTH_PROXY_MALFORMED_REQUEST", detail, { cause });
