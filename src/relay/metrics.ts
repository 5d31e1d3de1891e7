import { Counter, Gauge, Registry } from "prom-client";

export interface RelayGauges {
  listeners(): number;
  links(): number;
  pending(): number;
  parked(): number;
  heldBytes(): number;
  /** Bytes since the start, those of open links included. */
  bytesFromSenders(): number;
  bytesFromListeners(): number;
}

/** The relay's metrics, in a registry of their own. */
export class RelayMetrics {
  readonly registry = new Registry();
  readonly opened = this.#counter("links_opened_total", "Senders joined with a listener.");
  readonly lost = this.#counter("links_lost_total", "Links that ended without a close from both ends.");
  readonly admitted = this.#counter("admitted_total", "Callers let in, by right.", "right");
  readonly refused = this.#counter(
    "refused_total",
    "Connections and handshakes refused, by reason.",
    "reason",
  );

  readonly #reloads = this.#counter(
    "configuration_reloads_total",
    "Changes of the configuration, by whether they were taken up.",
    "outcome",
  );
  readonly #isCurrent = new Gauge({
    name: "cluster_connect_relay_configuration_current",
    help: "1 while the rules in use are those on disk, 0 after a change that could not be taken up.",
    registers: [this.registry],
  });

  constructor(gauges: RelayGauges) {
    this.#isCurrent.set(1);
    for (const [name, help, read] of [
      ["listeners", "Registered listeners.", () => gauges.listeners()],
      ["links", "Open links.", () => gauges.links()],
      ["pending_senders", "Senders that wait for a listener.", () => gauges.pending()],
      ["parked_handshakes", "Listen handshakes that are left unanswered.", () => gauges.parked()],
      ["held_bytes", "Bytes that wait for ends of links that do not take them.", () => gauges.heldBytes()],
      ["resident_memory_bytes", "Resident memory of the process.", () => process.memoryUsage.rss()],
    ] as const) {
      new Gauge({
        name: `cluster_connect_relay_${name}`,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
    }
    this.#countBytes(gauges);
  }

  configurationReloaded(succeeded: boolean): void {
    this.#reloads.inc({ outcome: succeeded ? "success" : "failure" });
    this.#isCurrent.set(succeeded ? 1 : 0);
  }

  #countBytes(gauges: RelayGauges): void {
    const counted = { sender: 0, listener: 0 };
    const read = { sender: () => gauges.bytesFromSenders(), listener: () => gauges.bytesFromListeners() };
    new Counter({
      name: "cluster_connect_relay_bytes_total",
      help: "Bytes of links as they came, by the end they came from.",
      labelNames: ["from"],
      registers: [this.registry],
      collect() {
        for (const from of ["sender", "listener"] as const) {
          const total = read[from]();
          this.inc({ from }, total - counted[from]);
          counted[from] = total;
        }
      },
    });
  }

  #counter<Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({
      name: `cluster_connect_relay_${name}`,
      help,
      labelNames,
      registers: [this.registry],
    });
  }
}
