/**
 * Keeps an arcProxy running and able to reach the cluster: starts it, gives it its tokens, keeps both fresh while it
 * runs, and starts another one when it has ended.
 */
import { readUnverifiedClaims } from "../credentials/jwt-claims";
import { Renewing } from "../credentials/renewing";
import { RenewingToken } from "../credentials/renewing-token";
import type { Token } from "../credentials/token-source";
import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { ArcProxy } from "./arc-proxy";
import { readArcKubeconfig, withToken, type ArcKubeconfig } from "./arc-kubeconfig";
import { ArcSession } from "./arc-session";
import type { ArcSettings } from "./arc-settings";
import type { RelayCredential } from "./connected-cluster";
import { persist } from "./persist";
import type { ServedCertificate } from "./served-certificate";

/** What a kubeconfig needs to know of an arcProxy that is registered. */
export interface ArcEnd {
  readonly kubeconfig: ArcKubeconfig;
  readonly certificate: ServedCertificate;
}

export interface ArcConnectionEvents {
  /** After each registration. */
  onRegistered(end: ArcEnd): void;
  onFailure(error: ClusterConnectError): void;
  /** One that was registered has ended. */
  onLost(): void;
  onPhase(name: string): void;
}

/** Where connections go. */
export interface ArcTarget {
  readonly port: number;
  /** Nobody listens there: that arcProxy is over, or as good as that. */
  readonly abandon: () => void;
}

export class ArcConnection {
  readonly #stopping = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #serviceAccount: RenewingToken | undefined;
  #session: ArcSession | undefined;
  #relay: Renewing<RelayCredential> | undefined;
  #relayStarted: Promise<void> | undefined;
  #identity: Renewing<Token> | undefined;
  #proxy: ArcProxy | undefined;
  #isRegistered = false;
  #running: Promise<void> | undefined;
  #failure = new ClusterConnectError("ERR_ARC_PROXY_ENDED", "it is being started");

  constructor(
    private readonly settings: ArcSettings,
    private readonly logger: Logger,
    private readonly events: ArcConnectionEvents,
  ) {
    const { serviceAccount: source } = settings;
    this.#serviceAccount = source === undefined ? undefined : new RenewingToken({ source, logger });
    this.#serviceAccount?.onRenewed(() => void this.#register().catch((error: unknown) => this.#fail(error)));
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopping"));
    this.#wake();
    await Promise.all([this.#relay?.stop(), this.#serviceAccount?.stop()]);
    await this.#running;
  }

  /** Why nothing takes connections now. */
  get failure(): ClusterConnectError {
    return this.#failure;
  }

  /** Claims of the token that the caller is known by in the cluster, unverified; for messages. */
  get claims(): Readonly<Record<string, unknown>> {
    const token = (this.#serviceAccount ?? this.#identity)?.current().value ?? "";
    return { ...readUnverifiedClaims(token) };
  }

  /** The arcProxy that takes connections; waits at most `ms` for one. */
  async target(ms: number): Promise<ArcTarget | undefined> {
    const deadline = performance.now() + ms;
    for (;;) {
      const target = this.#target();
      const left = deadline - performance.now();
      if (target !== undefined || left <= 0 || this.#stopping.signal.aborted) return target;
      await this.#change(left);
    }
  }

  /** One whose tokens are over reaches nobody: what needs them waits until they have been renewed. */
  #target(): ArcTarget | undefined {
    const proxy = this.#proxy;
    const isFresh = this.#relay?.isAlive === true && this.#identity?.isAlive !== false;
    if (proxy === undefined || !this.#isRegistered || !isFresh) return undefined;
    return { port: proxy.port, abandon: () => this.#abandon(proxy) };
  }

  /** Who comes now waits for its successor. */
  #abandon(proxy: ArcProxy): void {
    if (this.#proxy !== proxy) return;
    this.#isRegistered = false;
    void proxy.process.end();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = createBackoff({ firstMs: [100, 200] });
    while (!signal.aborted) {
      let registeredAt: number | undefined;
      try {
        await this.#live(() => (registeredAt = performance.now()));
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
      }
      if (registeredAt !== undefined) {
        backoff.lasted(performance.now() - registeredAt);
        this.events.onLost();
      }
      await delay(backoff.nextMs(), signal).catch(() => undefined);
    }
  }

  /** The life of one arcProxy, from its start to its end, with which this rejects. */
  async #live(onRegistered: () => void): Promise<never> {
    const { signal } = this.#stopping;
    const session = await this.#open();
    const proxy = await this.#start(session);
    const life = new AbortController();
    void proxy.process.exited.then(() => life.abort(new Error("arcProxy has ended")));
    const alive = AbortSignal.any([signal, life.signal]);
    try {
      await this.#prepare(session, proxy, alive);
      this.#proxy = proxy;
      await persist(
        () => this.#register(),
        alive,
        (error) => this.#fail(error),
      );
      this.events.onPhase("registered");
      onRegistered();
      this.#wake();
      return await aborted(alive);
    } catch (error) {
      if (signal.aborted || !proxy.process.hasExited || error instanceof ClusterConnectError) throw error;
      throw new ClusterConnectError("ERR_ARC_PROXY_ENDED", await proxy.process.epitaph());
    } finally {
      this.#proxy = undefined;
      this.#isRegistered = false;
      await Promise.all([this.#identity?.stop(), proxy.stop()]);
      this.#identity = undefined;
    }
  }

  /** The session outlives every arcProxy; so does the relay's credential, which is asked for at once. */
  async #open(): Promise<ArcSession> {
    if (this.#session !== undefined) return this.#session;
    const { signal } = this.#stopping;
    const tell = (error: ClusterConnectError) => this.#fail(error);
    const session = await persist(() => ArcSession.open(this.settings, signal), signal, tell);
    this.#session = session;
    this.logger.info("azure.session", { correlationId: session.correlationId });
    const relay = new Renewing<RelayCredential>({
      source: {
        description: "Azure Resource Manager for the relay",
        fetch: (fetching) => this.#renewRelay(session, fetching),
      },
      logger: this.logger,
      isSame: (one, other) => one.hybridConnectionConfig.token === other.hybridConnectionConfig.token,
      onFailure: tell,
    });
    this.#relay = relay;
    const serviceAccount = this.#serviceAccount;
    const starts = [relay, ...(serviceAccount === undefined ? [] : [serviceAccount])];
    this.#relayStarted = Promise.all(starts.map((each) => persist(() => each.start(), signal, tell))).then(
      () => this.events.onPhase("relayCredential"),
    );
    this.#relayStarted.catch(() => undefined);
    return session;
  }

  async #start(session: ArcSession): Promise<ArcProxy> {
    const { program, folder, logFile, tenantId, signIn, serviceAccount, isDebug } = this.settings;
    const clientId =
      signIn.kind === "application" && serviceAccount === undefined ? signIn.clientId : undefined;
    const proxy = await ArcProxy.start(
      {
        program,
        folder,
        logFile,
        isDebug,
        identity: { tenantId, clientId, cloud: session.cloud },
        correlationId: session.correlationId,
      },
      this.#stopping.signal,
    );
    this.logger.info("arc_proxy.started", { port: proxy.port });
    this.events.onPhase("arcProxy");
    return proxy;
  }

  /** Until it knows who the caller is, and there is a credential to register. */
  async #prepare(session: ArcSession, proxy: ArcProxy, alive: AbortSignal): Promise<void> {
    const relayStarted = Promise.race([this.#relayStarted, aborted(alive)]);
    await Promise.all([relayStarted, this.#identify(session, proxy, alive)]);
  }

  async #identify(session: ArcSession, proxy: ArcProxy, alive: AbortSignal): Promise<void> {
    if (this.settings.serviceAccount !== undefined) return;
    const identity = new Renewing<Token>({
      source: {
        description: "Microsoft Entra for the cluster",
        fetch: (fetching) => session.identify(proxy.api, fetching),
      },
      logger: this.logger,
      isSame: (one, other) => one.value === other.value,
      onFailure: (error) => this.#fail(error),
    });
    identity.onRenewed(() => this.#wake());
    this.#identity = identity;
    await persist(
      () => identity.start(),
      alive,
      (error) => this.#fail(error),
    );
    this.events.onPhase("identity");
  }

  /** A credential counts as renewed when the arcProxy that runs has it, too. */
  async #renewRelay(session: ArcSession, signal?: AbortSignal): Promise<RelayCredential> {
    const credential = await session.relayCredential(signal);
    await this.#proxy?.process.boundLog();
    if (this.#isRegistered) await this.#register(credential);
    return credential;
  }

  async #register(credential: RelayCredential | undefined = this.#relay?.current()): Promise<void> {
    const proxy = this.#proxy;
    if (proxy === undefined || credential === undefined) return;
    const token = this.#serviceAccount?.current().value;
    const kubeconfig = token === undefined ? credential.kubeconfig : withToken(credential.kubeconfig, token);
    const answer = await proxy.api.register(
      this.settings.cluster,
      { ...credential, kubeconfig },
      this.#stopping.signal,
    );
    this.#isRegistered = true;
    this.events.onRegistered({ kubeconfig: readArcKubeconfig(answer), certificate: proxy.certificate });
    this.#wake();
  }

  #fail(thrown: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const error = asClusterConnectError(thrown, "client proxy");
    this.#failure = error;
    this.logger.warn("arc.failed", { code: error.code, reason: error.message });
    this.events.onFailure(error);
  }

  async #change(ms: number): Promise<void> {
    const timeout = new AbortController();
    let wake: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => (wake = resolve));
    this.#waiting.add(wake);
    await Promise.race([arrival, delay(ms, timeout.signal).catch(() => undefined)]);
    this.#waiting.delete(wake);
    timeout.abort();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Rejects with the signal's reason as soon as it aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  // Whoever waits for something else as well may have it first.
  rejected.catch(() => undefined);
  return rejected;
}
