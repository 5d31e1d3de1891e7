/** The agent: listens at the relay and serves the sessions that come from there. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AcceptRequest } from "../hybrid-connections/accept-request";
import { createListener, type Listener } from "../hybrid-connections/listener";
import { serverNameOf } from "../protocol/server-name";
import { subprotocol } from "../protocol/subprotocol";
import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { HeldMemory } from "../tunnel/held-memory";
import { acceptAgentSession, type AgentSession } from "../tunnel/session-agent";
import { createWebSocketTransport } from "../tunnel/websocket-transport";
import { AgentMetrics } from "./metrics";
import { createRelayCredential } from "./relay-credential";
import type { AgentSettings } from "./settings";
import { handleStream } from "./stream-handler";
import { probeTarget, readTargetCa } from "./target";

export class Agent {
  readonly listenerId = randomUUID();
  readonly metrics: AgentMetrics;
  readonly #listener: Listener;
  readonly #memory: HeldMemory;
  readonly #sessions = new Set<AgentSession>();
  /** Sessions being accepted: a crowd must not pass the bound in one go, and a stop must not forget them. */
  readonly #accepts = new Set<Promise<void>>();
  #state: "serving" | "draining" | "over" = "serving";
  #targetReason: string | undefined = "the target has not answered yet";

  constructor(
    private readonly settings: AgentSettings,
    private readonly version: string,
    private readonly logger: Logger,
  ) {
    const { relay, limits } = settings;
    const credential = createRelayCredential(settings);
    this.#memory = new HeldMemory(limits.heldBytes);
    this.#listener = createListener({
      relayUrl: new URL(relay.url),
      cluster: relay.cluster,
      id: this.listenerId,
      authorization: () => credential.authorization(),
      renewEveryMs: () => credential.renewEveryMs(),
      caPem: relay.caFile === undefined ? undefined : readFileSync(relay.caFile, "utf8"),
      rendezvousHosts: relay.rendezvousHosts,
      handshakeTimeoutMs: limits.relayHandshakeMs,
      pingEveryMs: limits.pingMs,
      backoff: createBackoff({ maxMs: limits.retryMaxMs }),
      logger,
    });
    this.#listener.onAccept((request) => {
      const accept = this.#accept(request).finally(() => this.#accepts.delete(accept));
      this.#accepts.add(accept);
    });
    this.metrics = new AgentMetrics({
      sessions: () => this.#sessions.size,
      openStreams: () => [...this.#sessions].reduce((sum, { openStreams }) => sum + openStreams, 0),
      heldBytes: () => this.#memory.used,
      registered: () => (this.#listener.registered ? 1 : 0),
    });
  }

  get unreadyReason(): string | undefined {
    return this.#targetReason ?? (this.#listener.registered ? undefined : "not registered at the relay");
  }

  /** Registers at the relay once the target has answered; resolves when registered for the first time. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#awaitTarget(signal);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      this.#listener.once("registered", resolve);
      this.#listener.start();
    });
  }

  /** Deregisters, tells every client, and lets open streams go on for at most `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    this.#state = "draining";
    await this.#listener.close();
    for (const session of this.#sessions) goAway(session);
    const deadline = new AbortController();
    const timeout = delay(deadlineMs, deadline.signal).catch(() => undefined);
    await Promise.race([this.#drained(), timeout]);
    deadline.abort();
    this.#state = "over";
    await Promise.all([...this.#sessions].map((session) => session.close("the agent is shutting down")));
  }

  async #drained(): Promise<void> {
    await Promise.all(this.#accepts);
    await Promise.all([...this.#sessions].map(({ drained }) => drained));
  }

  async #awaitTarget(signal: AbortSignal): Promise<void> {
    const { target, limits } = this.settings;
    for (;;) {
      try {
        await probeTarget(target, limits.connectTimeoutMs);
        this.#targetReason = undefined;
        return;
      } catch (error) {
        const reason = messageOf(error);
        if (reason !== this.#targetReason) this.logger.info("target.awaited", { reason });
        this.#targetReason = reason;
        await delay(limits.targetProbeMs, signal);
      }
    }
  }

  async #accept(request: AcceptRequest): Promise<void> {
    const logger = this.logger.child({ id: request.id });
    const refusal = this.#whyRefused();
    if (refusal !== undefined) {
      this.metrics.sessionsRefused.inc();
      logger.warn("session.refused", { reason: refusal });
      await request.reject(503, refusal).catch(() => undefined);
      return;
    }
    try {
      await this.#serve(request, logger);
    } catch (error) {
      this.metrics.sessionsRefused.inc();
      logger.warn("session.failed", { reason: messageOf(error) });
      await request.reject(502, "The agent cannot serve a session").catch(() => undefined);
    }
  }

  #whyRefused(): string | undefined {
    if (this.#state !== "serving") return "The agent is shutting down";
    const sessions = this.#sessions.size + this.#accepts.size;
    return sessions >= this.settings.limits.sessions
      ? "The agent has its maximum number of sessions"
      : undefined;
  }

  async #serve(request: AcceptRequest, parent: Logger): Promise<void> {
    const { relay, target, limits } = this.settings;
    const caBundle = await readTargetCa(target);
    const sessionId = randomUUID();
    const logger = parent.child({ sessionId });
    const webSocket = await request.accept(subprotocol);
    if (this.#state === "over") return webSocket.terminate();
    const session = acceptAgentSession(createWebSocketTransport(webSocket), {
      hello: {
        agent: this.version,
        listenerId: this.listenerId,
        sessionId,
        cluster: relay.cluster,
        serverName: serverNameOf(relay.cluster),
        caBundle,
      },
      limits: { streams: limits.streamsPerSession, heldBytes: limits.sessionHeldBytes },
      memory: this.#memory,
      logger,
      onStream: (stream) => {
        void handleStream(stream, { settings: this.settings, sessionId, metrics: this.metrics, logger });
      },
    });
    this.#sessions.add(session);
    if (this.#state === "draining") goAway(session);
    this.metrics.sessionsOpened.inc();
    logger.info("session.opened", { client: request.remoteEndpoint.address });
    void session.closed.then(({ code, reason, clean }) => {
      this.#sessions.delete(session);
      logger.info("session.closed", { code, reason, clean });
    });
  }
}

const goAway = (session: AgentSession) => session.goAway("shuttingDown", "the agent is shutting down");
