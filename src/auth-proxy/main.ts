import { startHealthServer } from "../runtime/health-server";
import { runProcess, type ProcessOptions } from "../runtime/process";
import { startAuthProxy } from "./auth-proxy";
import { authProxySettings } from "./settings";
import { loadSettings } from "../runtime/settings";

export interface AuthProxyOptions extends Omit<ProcessOptions, "name" | "hop" | "stopStepMs"> {
  readonly config: string;
  /** Where Kubernetes says how its apiserver is reached from a pod. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Runs the auth proxy until a signal; resolves with the exit code. */
export function runAuthProxy(options: AuthProxyOptions): Promise<number> {
  // Each step of the stop keeps a bound of its own.
  const process = { ...options, name: "auth-proxy", hop: "auth proxy", stopStepMs: 2_147_483_647 } as const;
  return runProcess(process, async ({ logger, shutdown }) => {
    const settings = loadSettings(options.config, authProxySettings);
    const { environment, config } = options;
    const proxy = await startAuthProxy(settings, { logger, shutdown, environment, config });
    const health = await startHealthServer({
      ...settings.health,
      metrics: proxy.metrics.registry,
      unreadyReason: () => proxy.unreadyReason,
    });
    shutdown.add("health", () => health.close());
    const { listen } = settings;
    return {
      cluster: settings.cluster,
      ...("socket" in listen ? { socket: listen.socket } : { port: proxy.port }),
      healthPort: health.port,
      serverName: proxy.serverName,
      caPins: proxy.caPins,
    };
  });
}
