import type { Agent } from "node:http";
import type WebSocket from "ws";
import { rejectionAddress } from "./addresses";
import type { AcceptMessage } from "./control-messages";
import { dial } from "./dial";
import { HandshakeRefused } from "./handshake-refused";

/** A sender that waits at the relay for this listener. */
export interface AcceptRequest {
  readonly id: string;
  /** The sender's handshake headers, from the wire. */
  readonly connectHeaders: Readonly<Record<string, string>>;
  readonly remoteEndpoint: { readonly address: string | undefined; readonly port: number | undefined };
  /** Takes the connection; resolves with an open, PAUSED WebSocket. */
  accept(subprotocol: string): Promise<WebSocket>;
  /** Refuses it: the sender's handshake is answered with `status` and `reason`. */
  reject(status: number, reason: string): Promise<void>;
}

export interface RendezvousOptions {
  readonly caPem?: string | undefined;
  readonly zeroMask?: boolean | undefined;
  readonly handshakeTimeoutMs?: number | undefined;
  readonly agent?: Agent | undefined;
}

export function createAcceptRequest(message: AcceptMessage, options: RendezvousOptions): AcceptRequest {
  const { caPem, zeroMask, handshakeTimeoutMs, agent } = options;
  const dialAddress = (address: string, subprotocol?: string) =>
    dial({
      address,
      caPem,
      zeroMask,
      handshakeTimeoutMs,
      agent,
      ...(subprotocol === undefined ? {} : { subprotocol }),
    });
  return {
    id: message.id,
    connectHeaders: message.connectHeaders,
    remoteEndpoint: {
      address: message.remoteEndpoint?.address ?? undefined,
      port: message.remoteEndpoint?.port ?? undefined,
    },
    accept: (subprotocol) => dialAddress(message.address, subprotocol),
    async reject(status, reason) {
      try {
        const webSocket = await dialAddress(rejectionAddress(message.address, status, reason));
        webSocket.on("error", () => undefined).terminate();
      } catch (error) {
        // 410 is the relay's way to say that the rejection has been delivered.
        if (!(error instanceof HandshakeRefused && error.status === 410)) throw error;
      }
    },
  };
}
