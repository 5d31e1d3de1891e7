/** The relay: takes handshakes, decides, and brings senders and listeners together. */
import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";
import { findEntity } from "../hybrid-connections/addresses";
import { maxControlMessageBytes } from "../hybrid-connections/control-messages";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { AdmissionPolicy, type Admission, type Right } from "./admission";
import { ControlChannel } from "./control-channel";
import { isStormProne, offeredSubprotocol, type Handshake } from "./handshake";
import { ListenerRegistry } from "./listener-registry";
import { RelayMetrics } from "./metrics";
import { Parking } from "./parking";
import { PendingSenders, type PendingSender } from "./pending-senders";
import { Refusal } from "./refusal";
import type { ClusterSettings, RelaySettings } from "./settings";
import { Splice } from "./splice/splice";
import { refuseUpgrade, switchProtocols, trackedReason } from "./status-line";

export class Relay {
  readonly metrics: RelayMetrics;
  readonly #registry = new ListenerRegistry();
  readonly #admission: AdmissionPolicy;
  readonly #pending: PendingSenders;
  readonly #parking: Parking;
  readonly #splices = new Set<Splice>();
  readonly #clusters: ReadonlyMap<string, ClusterSettings>;
  readonly #controlChannels = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxControlMessageBytes,
  });
  #isDraining = false;

  constructor(
    private readonly settings: RelaySettings,
    private readonly logger: Logger,
  ) {
    const { limits, timers } = settings;
    this.#clusters = new Map(settings.clusters.map((cluster) => [cluster.name, cluster]));
    this.#admission = new AdmissionPolicy(settings, logger);
    this.#pending = new PendingSenders(this.#registry, {
      publicUrl: new URL(settings.publicUrl),
      rendezvousMs: timers.rendezvousMs,
      maxPending: limits.pending,
    });
    this.#parking = new Parking({
      maxParked: limits.parked,
      maxParkedPerAddress: limits.parkedPerAddress,
      parkedMs: timers.parkedMs,
    });
    this.metrics = new RelayMetrics({
      listeners: () => this.#registry.size,
      links: () => this.#splices.size,
      pending: () => this.#pending.size,
      parked: () => this.#parking.size,
    });
  }

  get unreadyReason(): string | undefined {
    return this.#isDraining ? "draining" : undefined;
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
      this.#refuse(handshake, error, action === "listen");
    }
  }

  /** Tells everybody, lets open links go on for at most `deadlineMs`, then closes them. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#pending.refuseAll(new Refusal(503, "The relay is shutting down", "draining"));
    // While the port still accepts: a listener that finds it closed may come back in storms.
    for (const channel of this.#registry.all()) channel.close(1001, "the relay is shutting down");
    const open = [...this.#splices];
    const deadline = setTimeout(() => {
      for (const splice of open) splice.close(1001, "the relay is shutting down");
    }, deadlineMs);
    await Promise.all(open.map(({ ended }) => ended));
    clearTimeout(deadline);
    this.#parking.close();
    this.#admission.close();
  }

  async #listen(handshake: Handshake): Promise<void> {
    const cluster = this.#findCluster(handshake);
    const admission = await this.#admit("listen", cluster, handshake);
    if (handshake.socket.destroyed) return;
    if (this.#registry.count(cluster.name) >= this.settings.limits.listenersPerCluster) {
      if (isStormProne(handshake)) return this.#parking.park(handshake, cluster.name);
      throw new Refusal(403, "The endpoint has its maximum number of listeners", "listeners_full");
    }
    this.#register(handshake, cluster, admission);
  }

  #register(handshake: Handshake, cluster: ClusterSettings, admission: Admission): void {
    const { target, request, socket, head } = handshake;
    const id = target.id ?? randomUUID();
    const logger = this.logger.child({ cluster: cluster.name, listenerId: id });
    this.#controlChannels.handleUpgrade(request, socket, head, (webSocket) => {
      const channel = new ControlChannel(webSocket, {
        id,
        cluster: cluster.name,
        admission,
        expiryGraceMs: this.settings.timers.expiryGraceMs,
        pingEveryMs: this.settings.timers.pingMs,
        renew: (token) => this.#admission.admit("listen", cluster, target.path, token),
        onGone: (gone) => this.#onListenerGone(gone, cluster, logger),
        logger,
      });
      this.#registry.add(channel);
      logger.info("listener.registered", { who: admission.who });
    });
  }

  #onListenerGone(channel: ControlChannel, cluster: ClusterSettings, logger: Logger): void {
    this.#registry.remove(channel);
    logger.info("listener.gone");
    this.#pending.reassign(channel);
    const standby = this.#isDraining ? undefined : this.#parking.next(cluster.name);
    if (standby !== undefined) void this.handle(standby);
  }

  async #connect(handshake: Handshake): Promise<void> {
    const cluster = this.#findCluster(handshake);
    const { who } = await this.#admit("send", cluster, handshake);
    if (this.#splices.size >= this.settings.limits.links) {
      throw new Refusal(503, "The relay has its maximum number of links", "links_full");
    }
    if (handshake.socket.destroyed) return;
    const id = handshake.target.id ?? randomUUID();
    this.#pending.add({ handshake, cluster: cluster.name, id, who }, (refusal) =>
      this.#refuse(handshake, refusal, false),
    );
  }

  #accept(handshake: Handshake): void {
    const { target, socket } = handshake;
    const sender = this.#pending.take(target.rendezvousKey);
    if (sender === undefined) throw new Refusal(403, "The rendezvous is unknown, used or over", "rendezvous");
    if (target.rejection === undefined) return this.#join(sender, handshake);
    const { status, reason } = target.rejection;
    const isError = Number.isInteger(status) && status >= 400 && status <= 599;
    this.metrics.refused.inc({ kind: "rejected_by_listener" });
    this.logger.info("sender.rejected_by_listener", { cluster: sender.cluster, id: sender.id, status });
    refuseUpgrade(
      sender.handshake.socket,
      isError ? status : 400,
      reason === "" ? "Rejected by user code" : reason,
    );
    refuseUpgrade(socket, 410, "Gone");
  }

  #join(sender: PendingSender, listener: Handshake): void {
    const { handshake, cluster, id, who } = sender;
    const subprotocol = offeredSubprotocol(listener.request);
    switchProtocols(listener.socket, listener.key, subprotocol);
    switchProtocols(handshake.socket, handshake.key, subprotocol);
    const { closeMs, pingMs } = this.settings.timers;
    const splice = new Splice(handshake.socket, listener.socket, {
      closeTimeoutMs: closeMs,
      pingEveryMs: pingMs,
    });
    this.#splices.add(splice);
    this.metrics.opened.inc();
    this.logger.info("link.opened", { cluster, id, who, subprotocol });
    void splice.ended.then((end) => {
      this.#splices.delete(splice);
      if (!end.clean) this.metrics.lost.inc();
      this.metrics.bytes.inc({ from: "sender" }, end.bytesFromSender);
      this.metrics.bytes.inc({ from: "listener" }, end.bytesFromListener);
      this.logger.info("link.closed", { cluster, id, ...end });
    });
    splice.start(handshake.head, listener.head);
  }

  #findCluster({ target }: Handshake): ClusterSettings {
    if (this.#isDraining) throw new Refusal(503, "The relay is shutting down", "draining");
    const cluster = this.#clusters.get(findEntity(target.path, this.#clusters.keys()) ?? "");
    if (cluster === undefined) throw new Refusal(404, "Endpoint does not exist", "no_endpoint");
    return cluster;
  }

  async #admit(right: Right, cluster: ClusterSettings, handshake: Handshake): Promise<Admission> {
    const { target, authorization } = handshake;
    const admission = await this.#admission.admit(right, cluster, target.path, authorization);
    const { who, claims } = admission;
    this.logger.info("admitted", { right, cluster: cluster.name, id: target.id, who, claims });
    return admission;
  }

  #refuse(handshake: Handshake, error: unknown, isListener: boolean): void {
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(500, "The relay failed to handle the request", "failure");
    const { status, sentence, kind } = refusal;
    const { target, remoteAddress, socket } = handshake;
    this.metrics.refused.inc({ kind });
    this.logger.warn("refused", {
      action: target.action,
      path: target.path,
      id: target.id,
      remoteAddress,
      status,
      kind,
      reason: error === refusal ? sentence : messageOf(error),
    });
    if (isListener && isStormProne(handshake)) return this.#parking.park(handshake, undefined);
    const host = new URL(this.settings.publicUrl).host;
    refuseUpgrade(socket, status, trackedReason(sentence, target.id ?? randomUUID(), host, target.path));
  }
}
