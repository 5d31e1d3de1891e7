/** Takes up a changed configuration: who is let in at once, the rest with the next start, which is said. */
import { readFileSync } from "node:fs";
import type { Logger } from "../runtime/logger";
import { startReloading } from "../runtime/reloading";
import type { Relay } from "./relay";
import { loadRelaySettings, type RelaySettings } from "./settings";

/** What `Relay.reload` takes up. */
const reloadable: ReadonlySet<string> = new Set(["issuers", "clusters"]);

/** Returns how to stop. */
export function watchConfiguration(
  config: string,
  settings: RelaySettings,
  relay: Relay,
  logger: Logger,
): () => void {
  let current = settings;
  return startReloading({
    name: "configuration",
    read: () => [config, ...keyFilesOf(current)].map((file) => readFileSync(file, "utf8")).join("\0"),
    apply: () => {
      const next = loadRelaySettings(config);
      relay.reload(next);
      const waiting = changedKeys(current, next).filter((key) => !reloadable.has(key));
      if (waiting.length > 0) logger.warn("configuration.needs_restart", { keys: waiting });
      // What waits for a restart is compared with what is in use, whenever it is changed again.
      current = { ...current, issuers: next.issuers, clusters: next.clusters };
    },
    everyMs: settings.timers.configurationCheckMs,
    logger,
    onOutcome: (succeeded) => relay.metrics.configurationReloaded(succeeded),
  });
}

const keyFilesOf = ({ clusters }: RelaySettings): string[] =>
  clusters.flatMap(({ agents, clients }) => [...agents.keys, ...clients.keys].map(({ keyFile }) => keyFile));

const changedKeys = (one: RelaySettings, other: RelaySettings): string[] =>
  (Object.keys({ ...one, ...other }) as (keyof RelaySettings)[]).filter(
    (key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]),
  );
