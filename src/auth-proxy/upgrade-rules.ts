import { ClusterConnectError } from "../runtime/errors";
import { isBearerProtocol } from "./credential";
import { elementsOf, valuesOf, type HeaderLines } from "./header-lines";

export type UpgradeProtocol = "websocket" | "SPDY/3.1";

export interface UpgradeRequest {
  readonly protocol: UpgradeProtocol;
  /** WebSocket subprotocols offered, the one that carries a token taken out. */
  readonly subprotocols: readonly string[];
}

const known: readonly UpgradeProtocol[] = ["websocket", "SPDY/3.1"];
const malformed = (detail: string) => new ClusterConnectError("ERR_AUTH_PROXY_MALFORMED_REQUEST", detail);

/**
 * Which upgrades go on to the apiserver. After a 101 nothing is looked at any more: `h2c`, say, would open a way
 * around every check here. The caller's rights to exec and the like are the apiserver's to judge.
 */
export function authorizeUpgrade(
  request: { readonly method: string; readonly lines: HeaderLines },
  rules: { readonly spdy: "allow" | "refuse" },
): UpgradeRequest {
  const { method, lines } = request;
  const tokens = elementsOf(lines, "upgrade");
  const protocol = known.find((name) => name.toLowerCase() === tokens[0]?.toLowerCase());
  if (protocol === undefined || tokens.length !== 1) {
    throw malformed(`Upgrade: ${JSON.stringify(tokens.join(", "))} (only websocket and SPDY/3.1 are known)`);
  }
  refuseBody(lines);
  if (protocol === "websocket") return { protocol, subprotocols: checkWebSocket(method, lines) };
  if (rules.spdy === "refuse") {
    throw new ClusterConnectError("ERR_AUTH_PROXY_UPGRADE_REFUSED", "SPDY is turned off here");
  }
  return { protocol, subprotocols: [] };
}

/** Node hands a body's bytes over as the first bytes of the new protocol: they would reach it unread. */
function refuseBody(lines: HeaderLines): void {
  const hasLength = valuesOf(lines, "content-length").some((value) => value.trim() !== "0");
  if (hasLength || valuesOf(lines, "transfer-encoding").length > 0) throw malformed("an upgrade with a body");
}

/** RFC 6455 §4.1, as far as the apiserver depends on it. */
function checkWebSocket(method: string, lines: HeaderLines): string[] {
  if (method !== "GET") throw malformed(`a WebSocket upgrade by ${method}`);
  if (valuesOf(lines, "sec-websocket-key").length !== 1) throw malformed("not one Sec-WebSocket-Key");
  const versions = valuesOf(lines, "sec-websocket-version");
  if (versions.length !== 1 || versions[0] !== "13") throw malformed("Sec-WebSocket-Version is not 13");
  const offered = elementsOf(lines, "sec-websocket-protocol");
  const subprotocols = offered.filter((name) => !isBearerProtocol(name));
  // A server must choose among what was offered: with the token's protocol gone, one has to be left.
  if (offered.length > 0 && subprotocols.length === 0) throw malformed("no subprotocol beside the token's");
  return subprotocols;
}
