/**
 * Keeps a session with an agent of the cluster: dials, attaches, backs off, repeats. When the agent goes away, the
 * next session is opened at once while the old one's streams go on.
 */
import type { AgentHello } from "../protocol/hello";
import { createBackoff, type Backoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { retryAfterOf } from "../runtime/retry-after";
import { HeldMemory } from "../tunnel/held-memory";
import { openClientSession, type ClientSession } from "../tunnel/session-client";
import { sessionEndError } from "../tunnel/session-end";
import type { SessionEnd } from "../tunnel/session";
import { defaultLimits, defaultProcessHeldBytes, type SessionLimits } from "../protocol/limits";
import type { LinkDial } from "./relay-dial";

export interface RelayLinkOptions {
  readonly cluster: string;
  readonly client: string;
  readonly dial: LinkDial;
  /** Open at once in a session; default: the protocol's. */
  readonly maxStreams?: number;
  readonly logger: Logger;
  readonly backoff?: Backoff;
  /** Called with each agent's HELLO; what it throws ends that session. */
  readonly onHello: (hello: AgentHello) => void;
  readonly onFailure: (error: ClusterConnectError) => void;
  readonly onLost: () => void;
}

/** Between attempts while somebody waits at the local port. */
const wantedPauseMs = 250;
/** Agents that go away at once, one after the other, are dialled with pauses all the same. */
const shortestSessionMs = 1_000;

export class RelayLink {
  readonly #stopping = new AbortController();
  readonly #sessions = new Set<ClientSession>();
  /** Those whose agent has said HELLO. */
  readonly #begun = new WeakSet<ClientSession>();
  readonly #waiting = new Set<() => void>();
  readonly #limits: Pick<SessionLimits, "streams" | "heldBytes">;
  readonly #memory: HeldMemory;
  readonly #backoff: Backoff;
  #current: ClientSession | undefined;
  #running: Promise<void> | undefined;
  #failure: ClusterConnectError | undefined;
  #hurry: () => void = () => undefined;

  constructor(private readonly options: RelayLinkOptions) {
    this.#backoff = options.backoff ?? createBackoff();
    const { maxStreams: streams = defaultLimits.streams } = options;
    // Each stream is granted its initial credit before anything is known of it.
    const heldBytes = Math.max(defaultLimits.heldBytes, streams * defaultLimits.initialCreditBytes);
    this.#limits = { streams, heldBytes };
    this.#memory = new HeldMemory(Math.max(defaultProcessHeldBytes, heldBytes));
  }

  /** Why there is no session now. */
  get failure(): ClusterConnectError {
    return (
      this.#failure ?? new ClusterConnectError("ERR_RELAY_UNREACHABLE", "the first connection is being made")
    );
  }

  get isConnected(): boolean {
    return this.#current !== undefined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** The session that takes new streams; waits at most `ms` for one. */
  async session(ms: number): Promise<ClientSession | undefined> {
    if (this.#current === undefined && !this.#stopping.signal.aborted) {
      const timeout = new AbortController();
      let wake: () => void = () => undefined;
      const arrival = new Promise<void>((resolve) => (wake = resolve));
      this.#waiting.add(wake);
      this.#hurry();
      await Promise.race([arrival, delay(ms, timeout.signal).catch(() => undefined)]);
      this.#waiting.delete(wake);
      timeout.abort();
    }
    return this.#current;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopping"));
    this.#wake();
    await Promise.all([...this.#sessions].map((session) => session.close("the client is done")));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // An attempt that took long to fail has not lasted: only a session does.
      let lastedMs = 0;
      let askedMs = 0;
      try {
        const session = await this.#open();
        const openedAt = performance.now();
        const isReplaced = await Promise.race([
          session.closed.then(() => false),
          session.goingAway.then(() => true),
        ]);
        if (this.#current === session) this.#current = undefined;
        lastedMs = performance.now() - openedAt;
        // An agent that goes away in order has a successor, or will have: nothing has failed that one should wait for.
        if (isReplaced && lastedMs > shortestSessionMs) continue;
      } catch (error) {
        askedMs = retryAfterOf(error);
        if (!signal.aborted) this.#fail(asClusterConnectError(error, "client proxy"));
      }
      if (signal.aborted) return;
      this.#backoff.lasted(lastedMs);
      const retryInMs = Math.max(Math.round(this.#backoff.nextMs()), askedMs);
      this.options.logger.info("relay.redial", { retryInMs });
      await this.#pause(retryInMs, Math.max(wantedPauseMs, askedMs));
    }
  }

  /** Waits, but not longer than `leastMs` while a connection waits for a session. */
  async #pause(ms: number, leastMs: number): Promise<void> {
    const { signal } = this.#stopping;
    const wanted = new AbortController();
    this.#hurry = () => wanted.abort();
    await delay(Math.min(ms, leastMs), signal).catch(() => undefined);
    const rest = ms - leastMs;
    if (rest > 0 && this.#waiting.size === 0) {
      await delay(rest, AbortSignal.any([signal, wanted.signal])).catch(() => undefined);
    }
    this.#hurry = () => undefined;
  }

  async #open(): Promise<ClientSession> {
    const { cluster, client, dial, logger } = this.options;
    const { signal } = this.#stopping;
    const transport = await dial(signal);
    if (signal.aborted) {
      transport.abort();
      throw signal.reason;
    }
    const session = openClientSession(transport, {
      cluster,
      client,
      limits: this.#limits,
      memory: this.#memory,
      logger,
    });
    this.#adopt(session);
    await this.#takeHello(session);
    return session;
  }

  #adopt(session: ClientSession): void {
    this.#sessions.add(session);
    // Streams need not wait for HELLO: kubectl's own TLS decides whom it talks to.
    this.#current = session;
    this.#wake();
    void session.goingAway.then(() => {
      if (this.#current === session) this.#current = undefined;
    });
    void session.closed.then((end) => {
      this.#sessions.delete(session);
      if (this.#current === session) this.#current = undefined;
      this.#ended(session, end);
    });
  }

  #ended(session: ClientSession, end: SessionEnd): void {
    // What we closed ourselves has its reason told where it was decided.
    if (end.local && end.clean) return;
    const { code, reason, clean } = end;
    this.options.logger.warn("session.closed", { code, reason, clean });
    // One that never began is told as an attempt that failed.
    if (!this.#begun.delete(session)) return;
    if (!clean) this.options.onLost();
    this.#fail(clean ? new ClusterConnectError("ERR_TUNNEL_GOING_AWAY", reason) : sessionEndError(end));
  }

  async #takeHello(session: ClientSession): Promise<void> {
    const hello = await session.agentHello;
    this.#begun.add(session);
    this.options.logger.info("session.opened", { sessionId: hello.sessionId, agent: hello.agent });
    try {
      this.options.onHello(hello);
      this.#failure = undefined;
    } catch (error) {
      this.#current = undefined;
      await session.close("refused by the client");
      throw error;
    }
  }

  #fail(error: ClusterConnectError): void {
    this.#failure = error;
    this.options.logger.warn("relay.failed", { code: error.code, reason: error.message });
    this.options.onFailure(error);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
