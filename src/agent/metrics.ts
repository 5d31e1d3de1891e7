import { Counter, Gauge, Registry } from "prom-client";

/** The agent's metrics, in a registry of their own. */
export class AgentMetrics {
  readonly registry = new Registry();
  readonly streams = this.#counter("streams_opened_total", "Streams that clients opened.");
  readonly targetFailures = this.#counter(
    "target_failures_total",
    "Streams refused because the target was unreachable.",
  );
  readonly sessionsOpened = this.#counter("sessions_opened_total", "Sessions accepted.");
  readonly sessionsRefused = this.#counter(
    "sessions_refused_total",
    "Sessions that could not be served: a bound is reached, the agent stops, or its target's CA is missing.",
  );
  readonly streamsLost = new Counter({
    name: "cluster_connect_agent_streams_lost_total",
    help: "Streams that were reset, by the side that was lost.",
    labelNames: ["side"],
    registers: [this.registry],
  });

  constructor(gauges: {
    sessions(): number;
    openStreams(): number;
    heldBytes(): number;
    registered(): number;
  }) {
    for (const [name, help, read] of [
      ["sessions", "Open sessions.", () => gauges.sessions()],
      ["open_streams", "Open streams.", () => gauges.openStreams()],
      ["held_bytes", "Bytes granted to clients or held for them.", () => gauges.heldBytes()],
      ["registered", "1 while registered at the relay.", () => gauges.registered()],
    ] as const) {
      new Gauge({
        name: `cluster_connect_agent_${name}`,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
    }
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `cluster_connect_agent_${name}`, help, registers: [this.registry] });
  }
}
