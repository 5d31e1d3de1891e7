/** Takes admitted listeners in: as a registered channel, in the place of a duplicate, or on standby. */
import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";
import { maxControlMessageBytes } from "../hybrid-connections/control-messages";
import type { Logger } from "../runtime/logger";
import type { Admission } from "./admission";
import { ControlChannel } from "./control-channel";
import { ControlWebSocket } from "./control-web-socket";
import { isStormProne, type Handshake } from "./handshake";
import type { ListenerRegistry } from "./listener-registry";
import type { Parking } from "./parking";
import { Refusal } from "./refusal";
import type { ClusterSettings, RelaySettings } from "./settings";

export interface ListenersOptions {
  readonly settings: RelaySettings;
  readonly registry: ListenerRegistry;
  readonly parking: Parking;
  readonly renew: (cluster: ClusterSettings, path: string, token: string) => Promise<Admission>;
  readonly onGone: (channel: ControlChannel) => void;
  readonly logger: Logger;
}

const full = "The endpoint has its maximum number of listeners";

export class Listeners {
  readonly #channels = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxControlMessageBytes,
    WebSocket: ControlWebSocket,
  });

  constructor(private readonly options: ListenersOptions) {}

  /** Throws a Refusal when the cluster has no place left and the listener cannot be left waiting for one. */
  add(handshake: Handshake, cluster: ClusterSettings, admission: Admission): void {
    const { registry, parking, settings, logger } = this.options;
    if (handshake.socket.destroyed) return;
    // One process on ws 1.x may come back hundreds of times over; all of it is one listener.
    const group = isStormProne(handshake) ? `${handshake.source.address} ${admission.who}` : randomUUID();
    if (registry.count(cluster.name) >= settings.limits.listenersPerCluster) {
      const duplicate = registry.findDuplicate(cluster.name, group);
      if (duplicate !== undefined) duplicate.close(1001, "another listener takes this place");
      else if (isStormProne(handshake)) {
        logger.info("listener.parked", { cluster: cluster.name, who: admission.who });
        return parking.park(handshake, { code: 1001, reason: full }, cluster.name);
      } else throw new Refusal(403, full, "listeners_full", { who: admission.who });
    }
    this.#register(handshake, cluster, admission, group);
  }

  /** Ends every channel in order; connections that listeners have accepted live on. */
  closeAll(reason: string): void {
    for (const channel of this.options.registry.all()) channel.close(1001, reason);
  }

  /** Ends the channels that are meant; what they have accepted is for others to end. */
  close(reason: string, areMeant: (admission: Admission) => boolean): void {
    const channels = this.options.registry.all().filter(({ admission }) => areMeant(admission));
    for (const channel of channels) channel.close(1008, reason);
  }

  #register(handshake: Handshake, cluster: ClusterSettings, admission: Admission, group: string): void {
    const { settings, registry, renew, onGone } = this.options;
    const { request, socket, head, source } = handshake;
    const { path, id = randomUUID() } = handshake.target;
    // The channel outlives its handshake by days: nothing below may hold on to the request and its headers.
    const { address } = source;
    const logger = this.options.logger.child({ cluster: cluster.name, listenerId: id });
    this.#channels.handleUpgrade(request, socket, head, (webSocket) => {
      const channel = new ControlChannel(webSocket, {
        id,
        cluster: cluster.name,
        admission,
        group,
        expiryGraceMs: settings.timers.expiryGraceMs,
        pingEveryMs: settings.timers.pingMs,
        maxBufferedBytes: settings.limits.controlBytes,
        renew: (token) => renew(cluster, path, token),
        onGone: (gone, code) => {
          registry.remove(gone);
          logger.info("listener.gone", { code });
          onGone(gone);
        },
      });
      // The socket of a handshake that was left waiting is paused, and nobody would hear its renewals and pongs.
      webSocket.resume();
      registry.add(channel);
      logger.info("listener.registered", { who: admission.who, remoteAddress: address });
    });
  }
}
