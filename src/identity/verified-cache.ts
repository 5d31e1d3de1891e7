import { createHash } from "node:crypto";
import type { VerifiedToken } from "./verified-token";

/**
 * Tokens that have lately been found good, as the kube-apiserver keeps them: a client sends the same one with each
 * request, and a signature costs more than the rest of the proxy's work on it. Only what was found good is kept,
 * under a hash, and never beyond the token's own end.
 */
export class VerifiedCache {
  readonly #entries = new Map<string, { readonly token: VerifiedToken; readonly until: number }>();

  constructor(private readonly limits: { readonly cacheMs: number; readonly cacheEntries: number }) {}

  get(token: string, nowMs: number): VerifiedToken | undefined {
    const entry = this.#entries.get(keyOf(token));
    return entry !== undefined && nowMs < entry.until ? entry.token : undefined;
  }

  set(token: string, verified: VerifiedToken, nowMs: number): void {
    const until = Math.min(nowMs + this.limits.cacheMs, verified.expiresAtMs);
    const key = keyOf(token);
    // Deleted first, so that the map's order stays that of insertion and the oldest goes.
    this.#entries.delete(key);
    if (until > nowMs) this.#entries.set(key, { token: verified, until });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.limits.cacheEntries && oldest !== undefined) this.#entries.delete(oldest);
  }
}

const keyOf = (token: string) => createHash("sha256").update(token).digest("base64");
