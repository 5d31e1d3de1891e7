/**
 * Addresses of the published Hybrid Connections protocol. The entity, here a cluster's name, may contain `/`.
 */
import { withoutTrailingSlashes } from "../runtime/trailing-slashes";
import { parseQuery } from "./query";

export const actions = ["listen", "connect", "accept", "request"] as const;
export type Action = (typeof actions)[number];

const prefix = "/$hc/";
/** Name of the parameter that holds the rendezvous secret; its prefix hides it from every client's application. */
const rendezvousParameter = "sb-hc-rendezvous";

export const listenAddress = (relay: URL, entity: string, id: string): URL =>
  entityAddress(relay, entity, { "sb-hc-action": "listen", "sb-hc-id": id });

export const connectAddress = (relay: URL, entity: string, id: string): URL =>
  entityAddress(relay, entity, { "sb-hc-action": "connect", "sb-hc-id": id });

function entityAddress(relay: URL, entity: string, parameters: Readonly<Record<string, string>>): URL {
  const address = new URL(relay.origin.replace(/^http/, "ws"));
  address.pathname = prefix + entity.split("/").map(encodeURIComponent).join("/");
  address.search = new URLSearchParams(parameters).toString();
  return address;
}

export interface Rendezvous {
  /** Base of the address, from configuration: never from what the sender says of the host. */
  readonly publicUrl: URL;
  /** Path and suffix as the sender sent them, still percent-encoded, without `/$hc/`. */
  readonly rawPath: string;
  /** The sender's query without the protocol's parameters. */
  readonly applicationQuery: string;
  readonly id: string;
  readonly key: string;
}

/** The address that an `accept` message carries: absolute, with a query, without a fragment. */
export function rendezvousAddress(rendezvous: Rendezvous): string {
  const { publicUrl, rawPath, applicationQuery, id, key } = rendezvous;
  const own = `sb-hc-action=accept&sb-hc-id=${encodeURIComponent(id)}&${rendezvousParameter}=${key}`;
  const query = applicationQuery === "" ? own : `${applicationQuery}&${own}`;
  return `${publicUrl.origin.replace(/^http/, "ws")}${prefix}${rawPath}?${query}`;
}

/** A listener refuses a connection by dialling its address with a status in the query. */
export function rejectionAddress(address: string, status: number, reason: string): string {
  return `${address}&sb-hc-statusCode=${String(status)}&sb-hc-statusDescription=${encodeURIComponent(reason)}`;
}

/** What an incoming request asks for. Strings come from the wire. */
export interface Target {
  /** Undefined when the action is none that is known. */
  readonly action: Action | undefined;
  /** Decoded path after `/$hc/`: an entity and perhaps a suffix. */
  readonly path: string;
  readonly rawPath: string;
  readonly applicationQuery: string;
  readonly id: string | undefined;
  readonly token: string | undefined;
  readonly rendezvousKey: string | undefined;
  readonly rejection: { readonly status: number; readonly reason: string } | undefined;
}

/** Parses a request target. Undefined unless its path begins with `/$hc/`, decodes, and stays what it is as part of a URL. */
export function parseTarget(requestTarget: string): Target | undefined {
  // A fragment, a backslash or a dot segment would turn the rendezvous address into another one at the listener.
  if (/[#\\]/.test(requestTarget)) return undefined;
  const question = requestTarget.indexOf("?");
  const fullPath = question === -1 ? requestTarget : requestTarget.slice(0, question);
  if (!fullPath.startsWith(prefix)) return undefined;
  const rawPath = fullPath.slice(prefix.length);
  const path = decodePath(rawPath);
  if (path === undefined || path.split("/").some((segment) => segment === "." || segment === ".."))
    return undefined;
  const query = parseQuery(question === -1 ? "" : requestTarget.slice(question + 1));
  const action = query.get("sb-hc-action")?.toLowerCase() ?? "connect";
  const status = query.get("sb-hc-statuscode") ?? query.get("statuscode");
  return {
    action: actions.find((known) => known === action),
    path,
    rawPath,
    applicationQuery: query.application,
    id: query.get("sb-hc-id"),
    token: query.get("sb-hc-token"),
    rendezvousKey: query.get(rendezvousParameter),
    rejection:
      status === undefined
        ? undefined
        : {
            status: Number.parseInt(status, 10),
            reason: query.get("sb-hc-statusdescription") ?? query.get("statusdescription") ?? "",
          },
  };
}

function decodePath(raw: string): string | undefined {
  try {
    return withoutTrailingSlashes(decodeURIComponent(raw));
  } catch {
    return undefined;
  }
}

/** Characters of the longest entity name. */
export const maxEntityCharacters = 260;

/**
 * The entity whose name is `path` or the longest prefix of it that ends at a `/`. Names are the map's keys, in lower
 * case; the path is compared without regard to case.
 */
export function findEntity<Entity>(path: string, entities: ReadonlyMap<string, Entity>): Entity | undefined {
  const wanted = path.toLowerCase();
  let end = wanted.length;
  // A path from the wire may have thousands of segments; none beyond the longest name is worth a look.
  if (end > maxEntityCharacters) end = wanted.lastIndexOf("/", maxEntityCharacters);
  for (; end > 0; end = wanted.lastIndexOf("/", end - 1)) {
    const entity = entities.get(wanted.slice(0, end));
    if (entity !== undefined) return entity;
  }
  return undefined;
}
