import { closeCodeName, closeCodes, type CloseCode } from "../protocol/codes";
import { printable } from "../protocol/reason";
import { ClusterConnectError, type ErrorCode } from "../runtime/errors";
import type { SessionEnd } from "./session";

const errorOf: Readonly<Record<CloseCode, ErrorCode>> = {
  finished: "ERR_TUNNEL_CLOSED",
  lost: "ERR_TUNNEL_LOST",
  internal: "ERR_TUNNEL_LOST",
  protocolViolation: "ERR_TUNNEL_PROTOCOL",
  limitExceeded: "ERR_TUNNEL_PROTOCOL",
  helloTimeout: "ERR_TUNNEL_HELLO_TIMEOUT",
  versionMismatch: "ERR_TUNNEL_VERSION",
  wrongCluster: "ERR_TUNNEL_WRONG_CLUSTER",
  peerSilent: "ERR_TUNNEL_PEER_SILENT",
};

/** An end that this side decided on. */
export function localEnd(code: CloseCode, reason: string): SessionEnd {
  return { code: closeCodes[code], reason, clean: code === "finished", local: true, error: errorOf[code] };
}

/** An end that the link reported. A close code that is not ours comes from the relay or the network: a loss. */
export function endOfLink(code: number, reason: string): SessionEnd {
  const name = closeCodeName(code) ?? "lost";
  return { code, reason: printable(reason), clean: name === "finished", local: false, error: errorOf[name] };
}

/** A session's end as what a caller who wanted more of it is told. */
export function sessionEndError(end: SessionEnd): ClusterConnectError {
  const said = end.reason === "" ? "" : `: ${end.reason}`;
  const by = end.local ? "closed here" : "closed by the other end";
  return new ClusterConnectError(end.error, `${by}, ${String(end.code)}${said}`);
}
