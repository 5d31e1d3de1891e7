import { readFile } from "node:fs/promises";
import { createTokenSource } from "../credentials/create-token-source";
import type { Token } from "../credentials/token-source";
import { createSasToken } from "../hybrid-connections/sas-token";
import type { AgentSettings } from "./settings";

/** What the agent shows the relay, and how soon it has to show something newer. */
export interface RelayCredential {
  /** Reads the token, or signs one, anew each time, so that a rotated file or key is picked up. */
  authorization(): Promise<string>;
  /** Milliseconds until the next renewal: half of what is left of the last token's life, `renewMs` at most. */
  renewEveryMs(): number;
}

/** A token that is nearly over, its successor being late, must not turn into a loop. */
const shortestRenewalMs = 1_000;

export function createRelayCredential({ relay, limits }: AgentSettings): RelayCredential {
  let last: Omit<Token, "value"> | undefined;
  return {
    async authorization() {
      const { value, ...life } = await fetchToken();
      last = life;
      return value;
    },
    renewEveryMs() {
      if (last?.lifetimeMs === undefined) return limits.renewMs;
      const leftMs = last.receivedAtMs + last.lifetimeMs - Date.now();
      return Math.min(Math.max(leftMs / 2, shortestRenewalMs), limits.renewMs);
    },
  };

  function fetchToken(): Promise<Token> {
    if ("tokenFile" in relay.credential) {
      return createTokenSource({ kind: "file", path: relay.credential.tokenFile }).fetch();
    }
    const { keyName, keyFile } = relay.credential;
    return sign(keyName, keyFile);
  }

  async function sign(keyName: string, keyFile: string): Promise<Token> {
    const key = (await readFile(keyFile, "utf8")).trim();
    const lifetimeMs = limits.tokenLifetimeMs;
    const value = createSasToken({
      relay: new URL(relay.url),
      entity: relay.cluster,
      keyName,
      key,
      lifetimeMs,
    });
    return { value, receivedAtMs: Date.now(), lifetimeMs };
  }
}
