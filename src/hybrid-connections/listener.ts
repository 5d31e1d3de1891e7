/**
 * The listening end: keeps one control channel registered, for ever, and turns `accept` messages into connections.
 */
import { EventEmitter } from "node:events";
import type WebSocket from "ws";
import { createBackoff, type Backoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { createAcceptRequest, type AcceptRequest } from "./accept-request";
import { listenAddress } from "./addresses";
import { acceptMessage, parseControlMessage } from "./control-messages";
import { dial } from "./dial";
import { isAllowedRendezvous } from "./rendezvous-policy";

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

class ControlChannel extends EventEmitter<ListenerEvents> implements Listener {
  readonly #closing = new AbortController();
  readonly #backoff: Backoff;
  #handler: (request: AcceptRequest) => void = (request) => void request.reject(503, "Not ready");
  #running: Promise<void> | undefined;
  #webSocket: WebSocket | undefined;

  constructor(private readonly options: ListenerOptions) {
    super();
    this.#backoff = options.backoff ?? createBackoff();
  }

  get registered(): boolean {
    return this.#webSocket !== undefined;
  }

  onAccept(handler: (request: AcceptRequest) => void): void {
    this.#handler = handler;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("closing"));
    this.#webSocket?.close(1000, "going away");
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let registeredAt: number | undefined;
      let reason: string;
      try {
        const webSocket = await this.#register();
        registeredAt = performance.now();
        reason = await this.#serve(webSocket);
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

  async #register(): Promise<WebSocket> {
    const { relayUrl, cluster, id, caPem, zeroMask, handshakeTimeoutMs, authorization } = this.options;
    return dial({
      address: listenAddress(relayUrl, cluster, id),
      headers: { ServiceBusAuthorization: await authorization() },
      caPem,
      zeroMask,
      handshakeTimeoutMs,
      signal: this.#closing.signal,
    });
  }

  /** Serves a registered channel until it is gone; resolves with the reason. */
  #serve(webSocket: WebSocket): Promise<string> {
    return new Promise((resolve) => {
      let heardAt = performance.now();
      const heard = () => (heardAt = performance.now());
      const pingEveryMs = this.options.pingEveryMs ?? defaultPingEveryMs;
      const pinger = setInterval(() => {
        if (performance.now() - heardAt > 2 * pingEveryMs) webSocket.terminate();
        else webSocket.ping();
      }, pingEveryMs);
      const stopRenewing = this.#keepRenewing(webSocket);
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

  /** A renewal has no answer: a token that the relay does not like shows as Close 1008. */
  #keepRenewing(webSocket: WebSocket): () => void {
    const { renewEveryMs = defaultRenewEveryMs, authorization, logger } = this.options;
    const period = () => (typeof renewEveryMs === "function" ? renewEveryMs() : renewEveryMs);
    let timer: NodeJS.Timeout;
    const renew = async () => {
      try {
        webSocket.send(JSON.stringify({ renewToken: { token: await authorization() } }));
        timer = setTimeout(() => void renew(), period());
      } catch (error) {
        const retryInMs = Math.min(period(), 60_000);
        logger.warn("relay.renewal_failed", { reason: messageOf(error), retryInMs });
        timer = setTimeout(() => void renew(), retryInMs);
      }
      if (webSocket.readyState !== webSocket.OPEN) clearTimeout(timer);
    };
    timer = setTimeout(() => void renew(), period());
    return () => clearTimeout(timer);
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
    this.#handler(createAcceptRequest(accept, this.options));
  }
}
