import { Counter, Gauge, Registry } from "prom-client";

export interface RelayGauges {
  listeners(): number;
  links(): number;
  pending(): number;
  parked(): number;
}

/** The relay's metrics, in a registry of their own. */
export class RelayMetrics {
  readonly registry = new Registry();
  readonly opened = this.#counter("links_opened_total", "Senders joined with a listener.");
  readonly lost = this.#counter("links_lost_total", "Links that ended without a close from either end.");
  readonly refused = new Counter({
    name: "cluster_connect_relay_refused_total",
    help: "Handshakes refused, by kind.",
    labelNames: ["kind"],
    registers: [this.registry],
  });
  readonly bytes = new Counter({
    name: "cluster_connect_relay_bytes_total",
    help: "Bytes of links that have ended, by the end they came from.",
    labelNames: ["from"],
    registers: [this.registry],
  });

  constructor(gauges: RelayGauges) {
    for (const [name, help, read] of [
      ["listeners", "Registered listeners.", () => gauges.listeners()],
      ["links", "Open links.", () => gauges.links()],
      ["pending_senders", "Senders that wait for a listener.", () => gauges.pending()],
      ["parked_handshakes", "Listen handshakes that are left unanswered.", () => gauges.parked()],
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
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `cluster_connect_relay_${name}`, help, registers: [this.registry] });
  }
}
