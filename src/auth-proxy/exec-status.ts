import { ClusterConnectError, errorRegistry } from "../runtime/errors";
import { valuesOf, type HeaderLines } from "./header-lines";
import { refusalOf, statusBody } from "./refusal";
import type { UpgradeRequest } from "./upgrade-rules";
import { createWebSocketGuard, type FailureWords, type WebSocketGuard } from "./websocket-guard";

/** A failure in the words of a WebSocket: a Status for channel 3 and a reason for the close frame. */
export function failureWords(error: ClusterConnectError): FailureWords {
  return {
    status: statusBody(error, refusalOf(error)),
    closeReason: `auth proxy: ${errorRegistry[error.code].summary} (${error.code})`,
  };
}

/**
 * The guard for an upgraded connection, or none for SPDY. Only exec and attach have a status on channel 3: for a
 * port-forward over the same v4.channel.k8s.io it would be the errors of the second port.
 */
export function guardFor(
  target: string,
  upgrade: UpgradeRequest,
  answer: HeaderLines,
): WebSocketGuard | undefined {
  if (upgrade.protocol !== "websocket") return undefined;
  const [subprotocol] = valuesOf(answer, "sec-websocket-protocol");
  const isChannelled = subprotocol === "v5.channel.k8s.io" || subprotocol === "v4.channel.k8s.io";
  const isCommand = /^[^?]*\/pods\/[^/?]+\/(exec|attach)(\?|$)/.test(target);
  const lost = new ClusterConnectError(
    "ERR_APISERVER_LOST",
    "before it said how the command ended; whether it still runs is not known",
  );
  return createWebSocketGuard({
    expectsStatus: isChannelled && isCommand,
    loss: failureWords(lost),
  });
}
