import type { JWK } from "jose";
import { createBackoff } from "../runtime/backoff";
import { messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { KeyLoader } from "./key-loader";

export interface KeyCacheOptions {
  readonly load: KeyLoader;
  readonly refreshMs: number;
  readonly cooldownMs: number;
  readonly logger: Logger;
}

/**
 * An issuer's keys: fetched when first needed, again in the background from then on. Keys once fetched stay in
 * use while a refresh fails, as at the kube-apiserver, so that an issuer's outage does not lock callers out.
 */
export class KeyCache {
  #keys: readonly JWK[] | undefined;
  #loading: Promise<readonly JWK[]> | undefined;
  #lastAttempt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #backoff = createBackoff({ firstMs: [1_000, 2_000], maxMs: 300_000, resetAfterMs: 0 });

  constructor(private readonly options: KeyCacheOptions) {}

  /** Keys that may have signed a token with this `kid`; every key for a token without one. */
  async find(kid: string | undefined): Promise<readonly JWK[]> {
    const known = this.#keys;
    if (known === undefined) return matching(await this.#refresh(), kid);
    const found = matching(known, kid);
    if (found.length > 0 || !this.#mayAskAgain()) return found;
    // A key that was rotated in since the last fetch. Tokens with invented ids end here too: hence the cooldown.
    return matching(await this.#refresh().catch(() => known), kid);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #mayAskAgain(): boolean {
    return this.#loading !== undefined || performance.now() - this.#lastAttempt >= this.options.cooldownMs;
  }

  /** One fetch at a time, shared by all who wait for it. */
  #refresh(): Promise<readonly JWK[]> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(): Promise<readonly JWK[]> {
    try {
      this.#keys = await this.options.load();
      this.#backoff.lasted(0);
      this.#schedule(this.options.refreshMs);
      return this.#keys;
    } catch (error) {
      this.options.logger.warn("issuer.keys_unavailable", {
        reason: messageOf(error),
        oldKeysKept: this.#keys !== undefined,
      });
      this.#schedule(this.#backoff.nextMs());
      throw error;
    } finally {
      this.#lastAttempt = performance.now();
    }
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#refresh().catch(() => undefined), ms);
    // A verifier that nobody closed must not keep its process alive.
    this.#timer.unref();
  }
}

function matching(keys: readonly JWK[], kid: string | undefined): readonly JWK[] {
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid);
}
