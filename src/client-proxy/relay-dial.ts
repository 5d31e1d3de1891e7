import { dialSender } from "../hybrid-connections/sender";
import { subprotocol } from "../protocol/subprotocol";
import type { Transport } from "../tunnel/transport";
import { createWebSocketTransport } from "../tunnel/websocket-transport";
import { explainRelayFailure } from "./relay-failure";

export interface RelayDialOptions {
  readonly relayUrl: URL;
  readonly cluster: string;
  /** A fresh signature, or the current token. */
  readonly authorization: () => Promise<string>;
  readonly caPem: string | undefined;
}

/** Opens one link to an agent of the cluster. Rejects with a ClusterConnectError that names the hop. */
export type LinkDial = (signal: AbortSignal) => Promise<Transport>;

export function createRelayDial(options: RelayDialOptions): LinkDial {
  const { relayUrl, cluster, caPem } = options;
  return async (signal) => {
    const authorization = await options.authorization();
    try {
      const target = { relayUrl, cluster, authorization, subprotocol, caPem, signal };
      return createWebSocketTransport(await dialSender(target));
    } catch (error) {
      throw explainRelayFailure(error, { relayUrl, authorization });
    }
  };
}
