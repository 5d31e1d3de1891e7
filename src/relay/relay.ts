/** The relay: takes handshakes, decides, and brings senders and listeners together. */
import { randomUUID } from "node:crypto";
import { findEntity } from "../hybrid-connections/addresses";
import { refusalCodeHeader } from "../hybrid-connections/refusal-code";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Admission, Right } from "./admission";
import { AdmissionPolicy } from "./admission-policy";
import type { ControlChannel } from "./control-channel";
import { isStormProne, type Handshake } from "./handshake";
import { IdentityLimits } from "./identity-limits";
import { Links } from "./links";
import { ListenerRegistry } from "./listener-registry";
import { Listeners } from "./listeners";
import { RelayMetrics } from "./metrics";
import { Parking } from "./parking";
import { PendingSenders } from "./pending-senders";
import { Refusal } from "./refusal";
import type { ServerHandler } from "./server";
import type { ClusterSettings, RelaySettings } from "./settings";
import { refuseUpgrade, rejectionStatus, trackedReason } from "./status-line";

/** What is known of a caller when he is let in or refused; one log event each. */
interface Decision {
  readonly right: Right | "renew";
  readonly cluster: ClusterSettings;
  readonly path: string;
  readonly id: string | undefined;
  readonly token: string | undefined;
}

export class Relay implements ServerHandler {
  readonly metrics: RelayMetrics;
  readonly #registry = new ListenerRegistry();
  readonly #admission: AdmissionPolicy;
  readonly #pending: PendingSenders;
  readonly #parking: Parking;
  readonly #listeners: Listeners;
  readonly #links: Links;
  readonly #identityLimits: IdentityLimits;
  readonly #host: string;
  #clusters: ReadonlyMap<string, ClusterSettings>;
  #generation = 0;
  #isDraining = false;

  constructor(
    private readonly settings: RelaySettings,
    private readonly logger: Logger,
  ) {
    const { limits, timers } = settings;
    const publicUrl = new URL(settings.publicUrl);
    this.#host = publicUrl.host;
    this.#clusters = byName(settings);
    this.#admission = new AdmissionPolicy(settings, logger);
    this.#links = new Links(settings, logger);
    this.#identityLimits = new IdentityLimits(limits);
    this.#pending = new PendingSenders(this.#registry, {
      publicUrl,
      rendezvousMs: timers.rendezvousMs,
      maxPending: limits.pending,
    });
    this.#parking = new Parking({
      maxBytes: limits.parkedBytes,
      maxPerAddress: limits.parkedPerAddress,
      parkedMs: timers.parkedMs,
      turnAwayMs: timers.turnAwayMs,
      lingerMs: timers.closeMs,
    });
    this.#listeners = new Listeners({
      settings,
      registry: this.#registry,
      parking: this.#parking,
      renew: (cluster, path, token) =>
        this.#decideByNow(() => ({ right: "renew", cluster, path, token, id: undefined })),
      onGone: (channel) => this.#onListenerGone(channel),
      logger,
    });
    this.metrics = this.#createMetrics();
  }

  get unreadyReason(): string | undefined {
    return this.#isDraining ? "draining" : undefined;
  }

  countRefusal(reason: string): void {
    this.metrics.refused.inc({ reason });
  }

  /**
   * Lets in by these issuers, clusters and keys from now on, and ends what none of them would let in any longer;
   * everything else goes on. Throws ERR_SETTINGS_UNREADABLE or ERR_SETTINGS_INVALID, and changes nothing then.
   */
  reload(settings: RelaySettings): void {
    this.#admission.replace(settings);
    this.#clusters = byName(settings);
    this.#generation += 1;
    const isOut = (admission: Admission) => !this.#admission.stillAdmits(admission);
    this.#pending.refuseAll(notAnyLonger(), ({ admission }) => isOut(admission));
    this.#listeners.close(noLongerAdmitted, isOut);
    this.#links.close(noLongerAdmitted, ({ sender, listeners }) => isOut(sender) || listeners().every(isOut));
  }

  /** Handles one upgrade request to its end; never rejects. */
  async handle(handshake: Handshake): Promise<void> {
    const { action } = handshake.target;
    try {
      if (action === "listen") await this.#listen(handshake);
      else if (action === "connect") await this.#connect(handshake);
      else if (action === "accept") this.#accept(handshake);
      else throw new Refusal(400, "The action is not supported here", "action");
    } catch (error) {
      this.#refuse(handshake, error);
    }
  }

  /** Tells everybody, lets open links go on for at most `deadlineMs`, then closes them. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#pending.refuseAll(new Refusal(503, "The relay is shutting down", "draining"));
    // While the port still accepts: a listener that finds it closed may come back in storms.
    this.#listeners.closeAll("the relay is shutting down");
    await this.#links.drain(deadlineMs);
    this.#parking.close();
    this.#admission.close();
  }

  async #listen(handshake: Handshake): Promise<void> {
    const admission = await this.#admit("listen", handshake);
    this.#listeners.add(handshake, this.#findCluster(handshake), admission);
  }

  #onListenerGone(channel: ControlChannel): void {
    this.#pending.reassign(channel);
    // Later: its place may have been given up for somebody who is just being registered.
    setImmediate(() => {
      const { listenersPerCluster } = this.settings.limits;
      if (this.#isDraining || this.#registry.count(channel.cluster) >= listenersPerCluster) return;
      const standby = this.#parking.next(channel.cluster);
      if (standby !== undefined) void this.handle(standby);
    });
  }

  async #connect(handshake: Handshake): Promise<void> {
    const admission = await this.#admit("send", handshake);
    if (this.#isDraining) throw draining();
    if (this.#links.size >= this.settings.limits.links) {
      throw new Refusal(503, "The relay has its maximum number of links", "links_full");
    }
    if (handshake.socket.destroyed) return;
    // However it goes on, it is over with the socket.
    handshake.socket.once("close", this.#identityLimits.open(admission.identity));
    const id = handshake.target.id ?? randomUUID();
    this.#pending.add({ handshake, cluster: admission.cluster, id, admission }, (refusal) =>
      this.#refuse(handshake, refusal),
    );
  }

  #accept(handshake: Handshake): void {
    const { target, socket } = handshake;
    const sender = this.#pending.take(target.rendezvousKey);
    if (sender === undefined) throw new Refusal(403, "The rendezvous is unknown, used or over", "rendezvous");
    handshake.admitted();
    if (target.rejection === undefined) return this.#links.join(sender, handshake, this.metrics);
    const { status, reason } = rejectionStatus(target.rejection);
    this.countRefusal("rejected_by_listener");
    this.logger.info("rejected_by_listener", { cluster: sender.cluster, id: sender.id, status, reason });
    refuseUpgrade(sender.handshake.socket, status, reason);
    refuseUpgrade(socket, 410, "Gone");
  }

  #findCluster({ target }: Handshake): ClusterSettings {
    if (this.#isDraining) throw draining();
    const cluster = findEntity(target.path, this.#clusters);
    if (cluster === undefined) throw new Refusal(404, "Endpoint does not exist", "no_endpoint");
    return cluster;
  }

  async #admit(right: Right, handshake: Handshake): Promise<Admission> {
    const { target, authorization: token } = handshake;
    const decision = { right, path: target.path, id: target.id, token };
    const admission = await this.#decideByNow(() => ({ ...decision, cluster: this.#findCluster(handshake) }));
    handshake.admitted();
    return admission;
  }

  /** What was decided while the configuration changed is decided again. */
  async #decideByNow(decision: () => Decision): Promise<Admission> {
    for (;;) {
      const generation = this.#generation;
      const admission = await this.#decide(decision());
      if (generation === this.#generation) return admission;
    }
  }

  async #decide({ right, cluster, path, id, token }: Decision): Promise<Admission> {
    try {
      const needed = right === "renew" ? "listen" : right;
      const admission = await this.#admission.admit(needed, cluster, path, token);
      const { who, rule, claims } = admission;
      this.metrics.admitted.inc({ right });
      this.logger.info("admitted", { right, cluster: cluster.name, id, who, rule, claims });
      return admission;
    } catch (error) {
      if (right === "renew") {
        const details = error instanceof Refusal ? error.details : {};
        const fields = { right, cluster: cluster.name, reason: messageOf(error), ...details };
        this.logger.warn("refused", fields);
        this.countRefusal("renewal");
      }
      throw error;
    }
  }

  #refuse(handshake: Handshake, error: unknown): void {
    const isExpected = error instanceof Refusal;
    const refusal = isExpected
      ? error
      : new Refusal(500, "The relay failed to handle the request", "failure");
    const { status, sentence, reason, details, code, retryAfterSeconds } = refusal;
    const { target, source, socket } = handshake;
    this.countRefusal(reason);
    this.logger[isExpected ? "info" : "error"]("refused", {
      action: target.action,
      path: target.path,
      id: target.id,
      remoteAddress: source.address,
      status,
      reason: isExpected ? sentence : messageOf(error),
      ...details,
    });
    if (target.action === "listen" && isStormProne(handshake)) {
      return this.#parking.park(handshake, { code: 1008, reason: sentence });
    }
    refuseUpgrade(
      socket,
      status,
      trackedReason(sentence, target.id ?? randomUUID(), this.#host, target.path),
      [
        ...(code === undefined ? [] : [`${refusalCodeHeader}: ${code}`]),
        ...(retryAfterSeconds === undefined ? [] : [`Retry-After: ${String(retryAfterSeconds)}`]),
      ],
    );
  }

  #createMetrics(): RelayMetrics {
    return new RelayMetrics({
      listeners: () => this.#registry.size,
      links: () => this.#links.size,
      pending: () => this.#pending.size,
      parked: () => this.#parking.size,
      heldBytes: () => this.#links.heldBytes,
      bytesFromSenders: () => this.#links.bytesFromSenders,
      bytesFromListeners: () => this.#links.bytesFromListeners,
    });
  }
}

const byName = ({ clusters }: RelaySettings): ReadonlyMap<string, ClusterSettings> =>
  new Map(clusters.map((cluster) => [cluster.name.toLowerCase(), cluster]));

const noLongerAdmitted = "no rule or key lets this end in any longer";
const notAnyLonger = () => new Refusal(403, "No rule lets this identity send here any longer", "no_rule");
const draining = () => new Refusal(503, "The relay is shutting down", "draining");
