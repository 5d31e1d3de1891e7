import { startHealthServer } from "../runtime/health-server";
import { runProcess, type ProcessOptions } from "../runtime/process";
import { Agent } from "./agent";
import { loadAgentSettings } from "./settings";

export interface AgentOptions extends Omit<ProcessOptions, "name" | "hop" | "stopStepMs"> {
  readonly config: string;
  /** Name and version of this program, for HELLO. */
  readonly version: string;
}

/** Runs the agent until a signal; resolves with the exit code. Ready means registered at the relay. */
export function runAgent(options: AgentOptions): Promise<number> {
  const starting = new AbortController();
  return runProcess(
    { ...options, name: "agent", hop: "agent", stopStepMs: 2_147_483_647 },
    async ({ logger, shutdown }) => {
      const settings = loadAgentSettings(options.config);
      const agent = new Agent(settings, options.version, logger);
      const health = await startHealthServer({
        ...settings.health,
        metrics: agent.metrics.registry,
        unreadyReason: () => agent.unreadyReason,
      });
      shutdown.add("health", () => health.close());
      shutdown.add("sessions", () => agent.drain(settings.limits.drainMs));
      shutdown.add("start", () => starting.abort(new Error("stopping")));
      await agent.start(starting.signal);
      const { url, cluster } = settings.relay;
      return { healthPort: health.port, listenerId: agent.listenerId, relay: url, cluster };
    },
  );
}
