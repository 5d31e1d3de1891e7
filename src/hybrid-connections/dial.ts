/** One outgoing WebSocket, as sender, listener and rendezvous all need it. */
import { randomFillSync } from "node:crypto";
import type { Agent, IncomingMessage } from "node:http";
import WebSocket from "ws";
import { createOutboundAgent } from "../runtime/outbound";
import { HandshakeRefused } from "./handshake-refused";

export interface DialOptions {
  readonly address: URL | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocol?: string;
  readonly caPem?: string | undefined;
  /** For the address's origin and `caPem`, to be used again by whoever dials more than once; default: a fresh one. */
  readonly agent?: Agent | undefined;
  /** Frames go out with an all-zero mask key: a third of the CPU, and harmless inside TLS. Default: on `wss`. */
  readonly zeroMask?: boolean | undefined;
  /** From now until the WebSocket is open, name lookup, outbound proxy and TLS included. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Bytes of one message that is accepted. */
  readonly maxMessageBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

export const defaultHandshakeTimeoutMs = 10_000;
const defaultMaxMessageBytes = 262_144;

/**
 * Resolves with an open WebSocket that is PAUSED, so that nothing is lost before its taker has attached listeners;
 * the taker then calls `resume()`. Rejects with HandshakeRefused when an HTTP status came instead, otherwise with
 * Node's error.
 */
export function dial(options: DialOptions): Promise<WebSocket> {
  const { signal, handshakeTimeoutMs = defaultHandshakeTimeoutMs } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const webSocket = createWebSocket(options);
    const giveUp = (reason: Error) => {
      settle();
      reject(reason);
      webSocket.on("error", () => undefined).terminate();
    };
    // The option of ws watches for silence on the socket, which neither a proxy's CONNECT nor a trickle is.
    const timer = setTimeout(
      () => giveUp(new Error(`no answer to the handshake within ${String(handshakeTimeoutMs)} ms`)),
      handshakeTimeoutMs,
    );
    const onAbort = () => giveUp(signal?.reason as Error);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      webSocket.off("error", giveUp);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    webSocket.once("error", giveUp);
    webSocket.once("open", () => {
      settle();
      // The close event says the same; without a listener the process would die.
      webSocket.on("error", () => undefined).pause();
      resolve(webSocket);
    });
    webSocket.once("unexpected-response", (_request, response: IncomingMessage) => {
      response.resume();
      giveUp(new HandshakeRefused(response.statusCode ?? 0, response.statusMessage ?? "", response.headers));
    });
  });
}

function createWebSocket(options: DialOptions): WebSocket {
  const { subprotocol, headers, caPem, maxMessageBytes = defaultMaxMessageBytes } = options;
  const address = new URL(options.address);
  const zeroMask = options.zeroMask ?? address.protocol === "wss:";
  return new WebSocket(address, subprotocol === undefined ? [] : [subprotocol], {
    headers: { "User-Agent": "cluster-connect", ...headers },
    agent: options.agent ?? createOutboundAgent(address, { caPem }),
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
    // Zeroes must be written, not assumed: ws passes a buffer that it uses again.
    generateMask: zeroMask ? (mask) => mask.fill(0) : (mask) => randomFillSync(mask),
  });
}
