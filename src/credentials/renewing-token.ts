/** Keeps one token current: asks again at half its life, and goes on asking while the old one still lives. */
import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, type ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Token, TokenSource } from "./token-source";

export interface RenewingTokenOptions {
  readonly source: TokenSource;
  readonly logger: Logger;
  /** Life assumed for a token that does not tell its own. */
  readonly assumedLifetimeMs?: number;
}

const defaultAssumedLifetimeMs = 300_000;
/** A token of a few seconds must not turn into a request loop. */
const shortestPauseMs = 1_000;
const longestPauseMs = 30_000;

export class RenewingToken {
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(token: Token) => void>();
  readonly #assumedLifetimeMs: number;
  #token: Token | undefined;
  #running: Promise<void> | undefined;

  constructor(private readonly options: RenewingTokenOptions) {
    this.#assumedLifetimeMs = options.assumedLifetimeMs ?? defaultAssumedLifetimeMs;
  }

  /** Obtains the first token; rejects with the source's error. From then on renews in the background. */
  async start(): Promise<void> {
    this.#token = await this.options.source.fetch(this.#stopping.signal);
    this.#running ??= this.#keepRenewing().catch(() => undefined);
  }

  /** The newest token. Throws a TypeError before `start` has resolved. */
  current(): Token {
    if (this.#token === undefined) throw new TypeError("the token has not been obtained yet");
    return this.#token;
  }

  onRenewed(listener: (token: Token) => void): void {
    this.#listeners.add(listener);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopped"));
    await this.#running;
  }

  async #keepRenewing(): Promise<void> {
    let pauseMs = this.#untilHalfLife();
    const backoff = createBackoff({ firstMs: [500, 1_000], maxMs: longestPauseMs });
    for (;;) {
      await delay(pauseMs, this.#stopping.signal);
      try {
        pauseMs = this.#take(await this.options.source.fetch(this.#stopping.signal));
        backoff.lasted(Infinity);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        pauseMs = Math.round(backoff.nextMs());
        this.#report(asClusterConnectError(error), pauseMs);
      }
    }
  }

  /** Returns when to ask again. */
  #take(token: Token): number {
    const isNew = token.value !== this.current().value;
    this.#token = token;
    if (!isNew) {
      // A file or a static token that nobody has replaced yet: look again soon, and say nothing.
      return clamp(this.#lifetimeMs() / 10, shortestPauseMs, longestPauseMs);
    }
    this.options.logger.info("token.renewed", { source: this.options.source.description });
    for (const listener of this.#listeners) listener(token);
    return this.#untilHalfLife();
  }

  #untilHalfLife(): number {
    return Math.max(this.current().receivedAtMs + this.#lifetimeMs() / 2 - Date.now(), shortestPauseMs);
  }

  #lifetimeMs(): number {
    return this.current().lifetimeMs ?? this.#assumedLifetimeMs;
  }

  #report(error: ClusterConnectError, retryInMs: number): void {
    const expiresAtMs = this.current().receivedAtMs + this.#lifetimeMs();
    this.options.logger.warn("token.renewal_failed", {
      source: this.options.source.description,
      code: error.code,
      reason: error.message,
      oldTokenLivesMs: Math.max(0, Math.round(expiresAtMs - Date.now())),
      retryInMs,
    });
  }
}

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);
