/** One outgoing WebSocket, as sender, listener and rendezvous all need it. */
import { randomFillSync } from "node:crypto";
import type { IncomingMessage } from "node:http";
import WebSocket from "ws";
import { createOutboundAgent } from "../runtime/outbound";
import { HandshakeRefused } from "./handshake-refused";

export interface DialOptions {
  readonly address: URL | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocol?: string;
  readonly caPem?: string | undefined;
  /** Frames go out with an all-zero mask key: a third of the CPU, and harmless inside TLS. Default: on `wss`. */
  readonly zeroMask?: boolean | undefined;
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
  const address = new URL(options.address);
  const zeroMask = options.zeroMask ?? address.protocol === "wss:";
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(options.signal.reason as Error);
    const webSocket = new WebSocket(address, options.subprotocol === undefined ? [] : [options.subprotocol], {
      headers: { "User-Agent": "cluster-connect", ...options.headers },
      agent: createOutboundAgent(address, { caPem: options.caPem }),
      handshakeTimeout: options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
      maxPayload: options.maxMessageBytes ?? defaultMaxMessageBytes,
      perMessageDeflate: false,
      followRedirects: false,
      // Zeroes must be written, not assumed: ws passes a buffer that it uses again.
      generateMask: zeroMask ? (mask) => mask.fill(0) : (mask) => randomFillSync(mask),
    });
    const onAbort = () => webSocket.terminate();
    const settle = () => options.signal?.removeEventListener("abort", onAbort);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    webSocket.once("open", () => {
      settle();
      webSocket.off("error", onError);
      webSocket.pause();
      resolve(webSocket);
    });
    webSocket.once("unexpected-response", (_request, response: IncomingMessage) => {
      settle();
      response.resume();
      reject(new HandshakeRefused(response.statusCode ?? 0, response.statusMessage ?? "", response.headers));
      webSocket.on("error", () => undefined).terminate();
    });
    const onError = (error: Error) => {
      settle();
      reject(options.signal?.aborted ? (options.signal.reason as Error) : error);
    };
    webSocket.once("error", onError);
  });
}
