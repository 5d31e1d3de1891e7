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
import { relayAuthorization } from "./relay-credential";
import type { AgentSettings } from "./settings";
import { handleStream } from "./stream-handler";
import { probeTarget, readTargetCa } from "./target";

export class Agent {
  readonly listenerId = randomUUID();
  readonly metrics: AgentMetrics;
  readonly #listener: Listener;
  readonly #memory: HeldMemory;
  readonly #sessions = new Set<AgentSession>();
  /** Sessions being accepted count too: a crowd must not pass the bound in one go. */
  #accepting = 0;
  #targetReason: string | undefined = "the target has not answered yet";

  constructor(
    private readonly settings: AgentSettings,
    private readonly version: string,
    private readonly logger: Logger,
  ) {
    const { relay, limits } = settings;
    this.#memory = new HeldMemory(limits.heldBytes);
    this.#listener = createListener({
      relayUrl: new URL(relay.url),
      cluster: relay.cluster,
      id: this.listenerId,
      authorization: relayAuthorization(settings),
      renewEveryMs: limits.renewMs,
      caPem: relay.caFile === undefined ? undefined : readFileSync(relay.caFile, "utf8"),
      rendezvousHosts: relay.rendezvousHosts,
      handshakeTimeoutMs: limits.relayHandshakeMs,
      pingEveryMs: limits.pingMs,
      backoff: createBackoff({ maxMs: limits.retryMaxMs }),
      logger,
    });
    this.#listener.onAccept((request) => void this.#accept(request));
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
    await this.#listener.close();
    const open = [...this.#sessions];
    for (const session of open) session.goAway("shuttingDown", "the agent is shutting down");
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(open.map(({ drained }) => drained)),
      delay(deadlineMs, deadline.signal).catch(() => undefined),
    ]);
    deadline.abort();
    await Promise.all(open.map((session) => session.close("the agent is shutting down")));
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
    if (this.#sessions.size + this.#accepting >= this.settings.limits.sessions) {
      this.metrics.sessionsRefused.inc();
      logger.warn("session.refused", { reason: "maximum number of sessions" });
      await request.reject(503, "The agent has its maximum number of sessions").catch(() => undefined);
      return;
    }
    this.#accepting += 1;
    try {
      await this.#serve(request, logger);
    } catch (error) {
      logger.warn("session.failed", { reason: messageOf(error) });
      await request.reject(502, "The agent cannot serve a session").catch(() => undefined);
    } finally {
      this.#accepting -= 1;
    }
  }

  async #serve(request: AcceptRequest, parent: Logger): Promise<void> {
    const { relay, target, limits } = this.settings;
    const caBundle = await readTargetCa(target);
    const sessionId = randomUUID();
    const logger = parent.child({ sessionId });
    const webSocket = await request.accept(subprotocol);
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
    this.metrics.sessionsOpened.inc();
    logger.info("session.opened", { client: request.remoteEndpoint.address });
    void session.closed.then(({ code, reason, clean }) => {
      this.#sessions.delete(session);
      logger.info("session.closed", { code, reason, clean });
    });
  }
}
