import { randomUUID } from "node:crypto";
import type WebSocket from "ws";
import { connectAddress } from "./addresses";
import { dial } from "./dial";

export interface SenderOptions {
  /** Origin of the relay or of an Azure Relay namespace, http(s). */
  readonly relayUrl: URL;
  readonly cluster: string;
  /** A shared access signature or a JWT. */
  readonly authorization: string;
  readonly subprotocol: string;
  /** Tracking id, shown in the relay's log and status lines; default: a fresh one. */
  readonly id?: string;
  /** Ids of the only listeners that may take the connection. */
  readonly allowedListeners?: readonly string[];
  readonly caPem?: string | undefined;
  readonly zeroMask?: boolean | undefined;
  readonly handshakeTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects as sender. Resolves with an open, paused WebSocket once a listener has accepted with `subprotocol`;
 * `ws` itself refuses an answer that names another. Rejects with HandshakeRefused or Node's error.
 */
export function dialSender(options: SenderOptions): Promise<WebSocket> {
  return dial({
    address: connectAddress(options.relayUrl, options.cluster, options.id ?? randomUUID()),
    subprotocol: options.subprotocol,
    headers: {
      ServiceBusAuthorization: options.authorization,
      ...(options.allowedListeners === undefined
        ? {}
        : { "Microsoft-Relay-AllowedListeners": options.allowedListeners.join(",") }),
    },
    caPem: options.caPem,
    zeroMask: options.zeroMask,
    handshakeTimeoutMs: options.handshakeTimeoutMs,
    signal: options.signal,
  });
}
