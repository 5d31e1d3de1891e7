/** Senders that wait, unanswered, for a listener to come to their rendezvous. */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { rendezvousAddress } from "../hybrid-connections/addresses";
import type { Admission } from "./admission";
import type { ControlChannel } from "./control-channel";
import { connectHeaders, type Handshake } from "./handshake";
import { readCriteria, type ListenerCriteria, type ListenerRegistry } from "./listener-registry";
import { Refusal } from "./refusal";

export interface PendingSender {
  readonly handshake: Handshake;
  readonly cluster: string;
  readonly id: string;
  readonly admission: Admission;
  /** The listeners that it was announced to. */
  readonly listeners: () => readonly Admission[];
}

interface Entry extends PendingSender {
  readonly key: string;
  readonly criteria: ListenerCriteria;
  readonly tried: Set<ControlChannel>;
  readonly refuse: (refusal: Refusal) => void;
  readonly release: () => void;
}

export interface PendingOptions {
  readonly publicUrl: URL;
  readonly rendezvousMs: number;
  readonly maxPending: number;
}

const noListener = () => new Refusal(404, "There are no listeners connected for the endpoint", "no_listener");

export class PendingSenders {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly registry: ListenerRegistry,
    private readonly options: PendingOptions,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Announces a sender to a listener; `refuse` is called if none comes. Throws a Refusal when none is there. */
  add(sender: Omit<PendingSender, "listeners">, refuse: (refusal: Refusal) => void): void {
    if (this.#entries.size >= this.options.maxPending) {
      throw new Refusal(503, "Too many connections are being established", "pending_full");
    }
    const key = randomBytes(32).toString("base64url");
    const tried = new Set<ControlChannel>();
    const entry: Entry = {
      ...sender,
      listeners: () => [...tried].map(({ admission }) => admission),
      key,
      criteria: readCriteria(sender.handshake.request.headers),
      tried,
      refuse,
      release: this.#watch(key, sender.handshake.socket),
    };
    this.#entries.set(key, entry);
    try {
      this.#announce(entry);
    } catch (error) {
      this.#remove(entry);
      throw error;
    }
  }

  /** Takes the sender that waits under `key`, once; a key that is wrong, used or late names nobody. */
  take(key: string | undefined): PendingSender | undefined {
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
    return entry;
  }

  /** A listener went away: senders that were announced to it alone are announced to another. */
  reassign(channel: ControlChannel): void {
    for (const entry of [...this.#entries.values()].filter(({ tried }) => tried.has(channel))) {
      try {
        this.#announce(entry);
      } catch (error) {
        this.#remove(entry);
        entry.refuse(error instanceof Refusal ? error : noListener());
      }
    }
  }

  /** Refuses everybody who waits, or those that are meant. */
  refuseAll(refusal: Refusal, areMeant: (sender: PendingSender) => boolean = () => true): void {
    for (const entry of [...this.#entries.values()].filter(areMeant)) {
      this.#remove(entry);
      entry.refuse(refusal);
    }
  }

  #announce(entry: Entry): void {
    const { handshake, cluster, criteria, tried, id, key } = entry;
    const channel = this.registry.choose(cluster, criteria, tried);
    if (channel === undefined) {
      const anybody = this.registry.choose(cluster, { allowed: undefined, disallowed: new Set() }, tried);
      if (anybody === undefined) throw noListener();
      const sentence =
        "None of the connected listeners meet the AllowedListeners/DisallowedListeners criteria";
      throw new Refusal(404, sentence, "listener_criteria");
    }
    tried.add(channel);
    const { rawPath, applicationQuery } = handshake.target;
    const { publicUrl } = this.options;
    const announced = channel.announce({
      address: rendezvousAddress({ publicUrl, rawPath, applicationQuery, id, key }),
      id,
      connectHeaders: connectHeaders(handshake.request),
      remoteEndpoint: { ...handshake.source },
    });
    if (!announced)
      throw new Refusal(431, "The request's headers are too long to be relayed", "headers_too_long");
  }

  /** Drops the entry when its time is over or its sender goes; returns how to stop watching. */
  #watch(key: string, socket: Duplex): () => void {
    const timer = setTimeout(() => {
      const sentence = "None of the connected listeners accepted the connections within the allowed timeout";
      this.#drop(key)?.refuse(new Refusal(504, sentence, "rendezvous_timeout"));
    }, this.options.rendezvousMs);
    const gone = () => void this.#drop(key);
    // A client may not speak before its 101: bytes here are no WebSocket, and reading is what shows an end.
    const spoke = () => socket.destroy();
    socket.on("close", gone).on("end", spoke).on("error", gone).on("data", spoke);
    return () => {
      clearTimeout(timer);
      socket.off("close", gone).off("end", spoke).off("error", gone).off("data", spoke);
      socket.pause();
    };
  }

  #drop(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
    return entry;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    entry.release();
  }
}
