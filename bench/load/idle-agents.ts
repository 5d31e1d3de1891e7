/** Many agents of one process, each with the product's own listener, registered at a relay and idle. */
import { randomUUID } from "node:crypto";
import { createListener } from "../../src/hybrid-connections/listener";
import { createSasToken } from "../../src/hybrid-connections/sas-token";
import { silentLogger } from "../../src/runtime/logger";

export interface IdleAgentsOptions {
  readonly relayUrl: string;
  readonly caPem: string;
  readonly clusters: readonly string[];
  readonly keyName: string;
  readonly key: string;
}

/** Agents that register at a time. */
const concurrency = 32;

/** Resolves when all are registered. */
export async function run({ relayUrl, caPem, clusters, keyName, key }: IdleAgentsOptions): Promise<void> {
  const relay = new URL(relayUrl);
  const waiting = [...clusters];
  const registerRest = async () => {
    for (let cluster = waiting.pop(); cluster !== undefined; cluster = waiting.pop()) {
      const target = { relay, entity: cluster, keyName, key, lifetimeMs: 3_600_000 };
      const listener = createListener({
        relayUrl: relay,
        cluster,
        id: randomUUID(),
        caPem,
        authorization: () => Promise.resolve(createSasToken(target)),
        logger: silentLogger,
      });
      const registered = new Promise<void>((resolve) => void listener.once("registered", resolve));
      listener.start();
      await registered;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, registerRest));
}
