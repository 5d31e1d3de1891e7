/**
 * Addresses of the published Hybrid Connections protocol. The entity, here a cluster's name, may contain `/`.
 */
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

/** Parses a request target. Undefined unless its path begins with `/$hc/` and decodes. */
export function parseTarget(requestTarget: string): Target | undefined {
  const question = requestTarget.indexOf("?");
  const fullPath = question === -1 ? requestTarget : requestTarget.slice(0, question);
  if (!fullPath.startsWith(prefix)) return undefined;
  const rawPath = fullPath.slice(prefix.length);
  const path = decodePath(rawPath);
  if (path === undefined) return undefined;
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
    return decodeURIComponent(raw).replace(/\/+$/, "");
  } catch {
    return undefined;
  }
}

/** The longest of `entities` that is `path` or a prefix of it ending at a `/`. Compared without regard to case. */
export function findEntity(path: string, entities: Iterable<string>): string | undefined {
  const wanted = path.toLowerCase();
  let best: string | undefined;
  for (const entity of entities) {
    const name = entity.toLowerCase();
    const matches = wanted === name || wanted.startsWith(`${name}/`);
    if (matches && (best === undefined || name.length > best.length)) best = entity;
  }
  return best;
}
