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
  #lastError: unknown;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #backoff = createBackoff({ firstMs: [1_000, 2_000], maxMs: 300_000, resetAfterMs: 0 });

  constructor(private readonly options: KeyCacheOptions) {}

  /** Keys that may have signed a token with this `kid`; every key for a token without one. */
  async find(kid: string | undefined): Promise<readonly JWK[]> {
    const known = this.#keys;
    if (known === undefined) return matching(await this.#firstKeys(), kid);
    const found = matching(known, kid);
    return found.length > 0 ? found : ((await this.findAnew(kid)) ?? []);
  }

  /**
   * What `find` gives once the keys have been fetched again: for a token that none of the keys at hand has signed.
   * The key may have been rotated in since the last fetch. Invented tokens end here too, hence the cooldown: undefined
   * when it is too early to ask.
   */
  async findAnew(kid: string | undefined): Promise<readonly JWK[] | undefined> {
    const known = this.#keys;
    if (known === undefined || !this.#mayAskAgain()) return undefined;
    return matching(await this.#refresh().catch(() => known), kid);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #mayAskAgain(): boolean {
    return this.#loading !== undefined || performance.now() - this.#lastAttempt >= this.options.cooldownMs;
  }

  /** While an issuer cannot be reached, callers do not make a fetch each. */
  async #firstKeys(): Promise<readonly JWK[]> {
    const sinceMs = performance.now() - this.#lastAttempt;
    const tooEarly = this.#loading === undefined && sinceMs < Math.min(firstRetryMs, this.options.cooldownMs);
    if (tooEarly) throw this.#lastError;
    return this.#refresh();
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
      this.#lastError = error;
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

/** How long a failed first fetch answers for those that would follow it. */
const firstRetryMs = 1_000;

function matching(keys: readonly JWK[], kid: string | undefined): readonly JWK[] {
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid);
}
