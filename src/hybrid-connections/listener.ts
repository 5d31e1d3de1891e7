/**
 * The listening end: keeps one control channel registered, for ever, and turns `accept` messages into connections.
 */
import { EventEmitter } from "node:events";
import type { Agent } from "node:http";
import WebSocket from "ws";
import { createBackoff, type Backoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { createOutboundAgent } from "../runtime/outbound";
import { createAcceptRequest, type AcceptRequest } from "./accept-request";
import { listenAddress } from "./addresses";
import { acceptMessage, parseControlMessage } from "./control-messages";
import { dial } from "./dial";
import { isAllowedRendezvous } from "./rendezvous-policy";
import { keepRenewing } from "./token-renewal";

export interface ListenerOptions {
  /** Origin of the relay or of an Azure Relay namespace, http(s). */
  readonly relayUrl: URL;
  readonly cluster: string;
  /** This listener's GUID: `sb-hc-id`, by which a sender may ask for it. */
  readonly id: string;
  /** Called for each registration and renewal, so that a rotated token is picked up. */
  readonly authorization: () => Promise<string>;
  /** How long after registration or renewal the next token is sent. */
  readonly renewEveryMs?: number | (() => number);
  readonly caPem?: string | undefined;
  /** Hosts, or suffixes beginning with a dot, that rendezvous addresses may name beside the relay's own host. */
  readonly rendezvousHosts?: readonly string[];
  readonly zeroMask?: boolean | undefined;
  readonly handshakeTimeoutMs?: number;
  /** A ping goes out this often; a channel that has been silent for two of them is dead. */
  readonly pingEveryMs?: number;
  readonly logger: Logger;
  readonly backoff?: Backoff;
}

interface ListenerEvents {
  registered: [];
  lost: [reason: string];
}

export interface Listener extends EventEmitter<ListenerEvents> {
  start(): void;
  readonly registered: boolean;
  onAccept(handler: (request: AcceptRequest) => void): void;
  /** Deregisters with a Close frame; connections already accepted live on. */
  close(): Promise<void>;
}

export const createListener = (options: ListenerOptions): Listener => new ControlChannel(options);

const defaultRenewEveryMs = 1_800_000;
const defaultPingEveryMs = 30_000;
/** How long the relay may take to answer our Close. */
const closeTimeoutMs = 3_000;

class ControlChannel extends EventEmitter<ListenerEvents> implements Listener {
  readonly #closing = new AbortController();
  readonly #backoff: Backoff;
  /** One for all dials to the relay: it keeps TLS tickets, so that a rendezvous or a return costs no full handshake. */
  readonly #relayAgent: Agent;
  #handler: (request: AcceptRequest) => void = (request) => void request.reject(503, "Not ready");
  #running: Promise<void> | undefined;
  #webSocket: WebSocket | undefined;

  constructor(private readonly options: ListenerOptions) {
    super();
    this.#backoff = options.backoff ?? createBackoff();
    this.#relayAgent = createOutboundAgent(options.relayUrl, { caPem: options.caPem });
  }

  get registered(): boolean {
    return this.#webSocket?.readyState === WebSocket.OPEN;
  }

  onAccept(handler: (request: AcceptRequest) => void): void {
    this.#handler = handler;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("closing"));
    const webSocket = this.#webSocket;
    webSocket?.close(1000, "going away");
    const timer = setTimeout(() => webSocket?.terminate(), closeTimeoutMs);
    await this.#running;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let registeredAt: number | undefined;
      let reason: string;
      try {
        const token = await this.options.authorization();
        const webSocket = await this.#register(token);
        registeredAt = performance.now();
        reason = await this.#serve(webSocket, token);
      } catch (error) {
        reason = messageOf(error);
      }
      if (this.#closing.signal.aborted) return;
      this.#backoff.lasted(registeredAt === undefined ? 0 : performance.now() - registeredAt);
      const retryInMs = Math.round(this.#backoff.nextMs());
      this.options.logger.warn("relay.lost", { reason, retryInMs });
      this.emit("lost", reason);
      await delay(retryInMs, this.#closing.signal).catch(() => undefined);
    }
  }

  #register(token: string): Promise<WebSocket> {
    const { relayUrl, cluster, id, caPem, zeroMask, handshakeTimeoutMs } = this.options;
    return dial({
      address: listenAddress(relayUrl, cluster, id),
      headers: { ServiceBusAuthorization: token },
      caPem,
      agent: this.#relayAgent,
      zeroMask,
      handshakeTimeoutMs,
      signal: this.#closing.signal,
    });
  }

  readonly #renewEveryMs = (): number => {
    const { renewEveryMs = defaultRenewEveryMs } = this.options;
    return typeof renewEveryMs === "function" ? renewEveryMs() : renewEveryMs;
  };

  /** Serves a channel that was registered with `token` until it is gone; resolves with the reason. */
  #serve(webSocket: WebSocket, token: string): Promise<string> {
    const { authorization, logger } = this.options;
    return new Promise((resolve) => {
      let heardAt = performance.now();
      const heard = () => (heardAt = performance.now());
      const pingEveryMs = this.options.pingEveryMs ?? defaultPingEveryMs;
      const pinger = setInterval(() => {
        if (performance.now() - heardAt > 2 * pingEveryMs) webSocket.terminate();
        else webSocket.ping();
      }, pingEveryMs);
      const stopRenewing = keepRenewing(webSocket, {
        token,
        authorization,
        everyMs: this.#renewEveryMs,
        logger,
      });
      webSocket
        .on("ping", heard)
        .on("pong", heard)
        .on("error", () => undefined);
      webSocket.on("message", (data: Buffer, isBinary: boolean) => {
        heard();
        if (!isBinary) this.#onMessage(data.toString("utf8"));
      });
      webSocket.once("close", (code: number, reason: Buffer) => {
        clearInterval(pinger);
        stopRenewing();
        this.#webSocket = undefined;
        resolve(`closed with ${String(code)} ${reason.toString("utf8")}`.trimEnd());
      });
      this.#webSocket = webSocket;
      webSocket.resume();
      this.options.logger.info("relay.registered", { listenerId: this.options.id });
      this.emit("registered");
      // close() may have come while the handshake was under way.
      if (this.#closing.signal.aborted) webSocket.close(1000, "going away");
    });
  }

  #onMessage(text: string): void {
    const accept = parseControlMessage(text, acceptMessage)?.accept;
    if (accept === undefined) return;
    const { relayUrl, rendezvousHosts = [], logger } = this.options;
    if (!isAllowedRendezvous(accept.address, { relayUrl, allowedHosts: rendezvousHosts })) {
      const host = URL.canParse(accept.address) ? new URL(accept.address).host : "(not an address)";
      logger.error("rendezvous.refused", { host, id: accept.id });
      return;
    }
    const agent = new URL(accept.address).host === relayUrl.host ? this.#relayAgent : undefined;
    this.#handler(createAcceptRequest(accept, { ...this.options, agent }));
  }
}
