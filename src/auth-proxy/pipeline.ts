/**
 * What a request passes, in order: bounds → credential → admission → upgrade rules → outgoing headers →
 * forwarding → audit. Each step takes what the one before has made; none can be reached around.
 */
import { asClusterConnectError, ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Apiserver } from "./apiserver";
import { actAsWanted, admitCaller, type AdmissionContext } from "./admission";
import { audit } from "./audit";
import { parseCredential } from "./credential";
import type { Exchange } from "./exchange";
import { forwardRequest } from "./forward-request";
import {
  forwardUpgrade,
  refusableExchange,
  type UpgradeArrival,
  type UpgradeOutcome,
} from "./forward-upgrade";
import type { AuthProxyMetrics } from "./metrics";
import { OutgoingHeaders } from "./outgoing-headers";
import type { Principal } from "./principal";
import { refuseExchange } from "./refuse";
import { checkBounds } from "./request-bounds";
import type { AuthProxySettings } from "./settings";
import { startDeadline, type StreamDeadline } from "./stream-deadline";
import { authorizeUpgrade, type UpgradeRequest } from "./upgrade-rules";

export interface PipelineContext {
  readonly settings: Pick<
    AuthProxySettings,
    "upgrades" | "impersonation" | "streams" | "forwardHeaders" | "limits"
  >;
  readonly admission: AdmissionContext;
  readonly apiserver: Apiserver;
  readonly logger: Logger;
  readonly metrics: AuthProxyMetrics;
}

export class Pipeline {
  #underWay = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly context: PipelineContext) {}

  /** Handles a plain request. Never rejects. */
  handle(exchange: Exchange): Promise<void> {
    return this.#run(exchange, undefined);
  }

  /** Handles a request that asks for an upgrade. Never rejects. */
  handleUpgrade(arrival: UpgradeArrival): Promise<void> {
    return this.#run(refusableExchange(arrival), arrival);
  }

  /** Resolves as soon as no request is under way, and after `ms` at the latest. */
  drained(ms: number): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  async #run(exchange: Exchange, arrival: UpgradeArrival | undefined): Promise<void> {
    const { logger, metrics } = this.context;
    const startedAt = performance.now();
    const state: RequestState = { principal: undefined, upgrade: undefined, deadline: undefined };
    let outcome: UpgradeOutcome;
    this.#underWay += 1;
    metrics.requests.set(this.#underWay);
    try {
      outcome = await this.#process(exchange, arrival, state);
    } catch (thrown) {
      outcome = this.#refuse(exchange, asClusterConnectError(thrown, "auth proxy"));
    } finally {
      state.deadline?.clear();
      this.#underWay -= 1;
      metrics.requests.set(this.#underWay);
      if (this.#underWay === 0) for (const done of this.#waiting) done();
    }
    const durationMs = performance.now() - startedAt;
    const { principal, upgrade } = state;
    audit({ exchange, principal, upgrade: upgrade?.protocol, outcome, durationMs }, logger, metrics);
  }

  async #process(
    exchange: Exchange,
    arrival: UpgradeArrival | undefined,
    state: RequestState,
  ): Promise<UpgradeOutcome> {
    const { settings, apiserver, admission } = this.context;
    const { limits, upgrades, streams, forwardHeaders } = settings;
    if (this.#underWay > limits.requests) throw new ClusterConnectError("ERR_AUTH_PROXY_BUSY");
    checkBounds(exchange, limits, settings.impersonation);
    const token = parseCredential(exchange.lines);
    const admitted = await admitCaller(token, exchange, admission);
    state.principal = admitted.principal;
    state.deadline = startDeadline(streams, admitted.expiresAtMs);
    const upgrade = arrival === undefined ? undefined : authorizeUpgrade(exchange, upgrades);
    state.upgrade = upgrade;
    const principal = await actAsWanted(admitted, exchange, admission);
    state.principal = principal;
    const { lines, hasBody } = exchange;
    const headers = new OutgoingHeaders({
      lines,
      principal,
      hasBody,
      upgrade,
      forwardHeaders,
      host: apiserver.host,
    });
    const context = { apiserver, limits, deadline: state.deadline.signal };
    return arrival !== undefined && upgrade !== undefined
      ? forwardUpgrade(arrival, exchange, upgrade, headers, context)
      : forwardRequest(exchange, headers, context);
  }

  #refuse(exchange: Exchange, error: ClusterConnectError): UpgradeOutcome {
    const { logger, settings } = this.context;
    if (exchange.isClosed()) return { status: 0, error, abandoned: true };
    try {
      if (error.code !== "ERR_UNEXPECTED") {
        return { status: refuseExchange(exchange, error, settings.limits.uploadDrainMs), error };
      }
      // What it was is for the log; a caller learns that it was not his doing.
      logger.error("request.failed", { message: error.message });
      return {
        status: refuseExchange(exchange, new ClusterConnectError(error.code, "", { hop: error.hop }), 0),
        error,
      };
    } catch (thrown) {
      logger.error("request.failed", { message: messageOf(thrown) });
      exchange.abort();
      return { status: 0, error };
    }
  }
}

interface RequestState {
  principal: Principal | undefined;
  upgrade: UpgradeRequest | undefined;
  deadline: StreamDeadline | undefined;
}
