import { readFile } from "node:fs/promises";
import { createTokenSource } from "../credentials/create-token-source";
import { createSasToken } from "../hybrid-connections/sas-token";
import type { AgentSettings } from "./settings";

/** What the agent shows the relay: read, or signed, anew each time, so that a rotated token or key is picked up. */
export function relayAuthorization(settings: AgentSettings): () => Promise<string> {
  const { relay, limits } = settings;
  if ("tokenFile" in relay.credential) {
    const source = createTokenSource({ kind: "file", path: relay.credential.tokenFile });
    return async () => (await source.fetch()).value;
  }
  const { keyName, keyFile } = relay.credential;
  return async () =>
    createSasToken({
      relay: new URL(relay.url),
      entity: relay.cluster,
      keyName,
      key: (await readFile(keyFile, "utf8")).trim(),
      lifetimeMs: limits.tokenLifetimeMs,
    });
}
