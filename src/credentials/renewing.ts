/**
 * Keeps one thing current that wears out: asks again at half its life, and goes on asking, with growing pauses, while
 * the old one still lives and after that.
 */
import { createBackoff } from "../runtime/backoff";
import { delay } from "../runtime/delay";
import { asClusterConnectError, type ClusterConnectError } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { retryAfterOf } from "../runtime/retry-after";

export interface Perishable {
  /** When it was received, by the local clock. */
  readonly receivedAtMs: number;
  /** How long it lives from then on; undefined when it does not say. */
  readonly lifetimeMs: number | undefined;
}

export interface RenewingOptions<Thing extends Perishable> {
  readonly source: {
    /** For logs: where it comes from, without any secret. */
    readonly description: string;
    fetch(signal?: AbortSignal): Promise<Thing>;
  };
  readonly logger: Logger;
  /** Whether what has come is what is there already, so that nobody need be told. */
  readonly isSame: (one: Thing, other: Thing) => boolean;
  /** Told of each renewal that has failed; another one follows. */
  readonly onFailure?: (error: ClusterConnectError) => void;
  /** Life assumed for what does not tell its own. */
  readonly assumedLifetimeMs?: number;
}

const defaultAssumedLifetimeMs = 300_000;
/** What lives a few seconds must not turn into a request loop. */
const shortestPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Timers stand still while a machine sleeps, lives do not: the clock is looked at this often. */
const lookMs = 3_000;

export class Renewing<Thing extends Perishable> {
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(thing: Thing) => void>();
  readonly #assumedLifetimeMs: number;
  #thing: Thing | undefined;
  #running: Promise<void> | undefined;

  constructor(private readonly options: RenewingOptions<Thing>) {
    this.#assumedLifetimeMs = options.assumedLifetimeMs ?? defaultAssumedLifetimeMs;
  }

  /** Obtains the first; rejects with the source's error. From then on renews in the background. */
  async start(): Promise<void> {
    this.#thing = await this.options.source.fetch(this.#stopping.signal);
    this.#running ??= this.#keepRenewing().catch(() => undefined);
  }

  /** The newest. Throws a TypeError before `start` has resolved. */
  current(): Thing {
    if (this.#thing === undefined) throw new TypeError("it has not been obtained yet");
    return this.#thing;
  }

  /** Whether there is one whose life is not over. */
  get isAlive(): boolean {
    return this.#thing !== undefined && Date.now() < this.#expiresAtMs;
  }

  onRenewed(listener: (thing: Thing) => void): void {
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
      await this.#wait(pauseMs);
      try {
        pauseMs = this.#take(await this.options.source.fetch(this.#stopping.signal));
        backoff.lasted(Infinity);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        pauseMs = Math.round(Math.max(backoff.nextMs(), retryAfterOf(error)));
        this.#report(asClusterConnectError(error), pauseMs);
      }
    }
  }

  /** By the clock of the wall, which goes on while the machine sleeps. */
  async #wait(ms: number): Promise<void> {
    const until = Date.now() + ms;
    for (let left = ms; left > 0; left = until - Date.now()) {
      await delay(Math.min(left, lookMs), this.#stopping.signal);
    }
  }

  /** Returns when to ask again. */
  #take(thing: Thing): number {
    const isNew = !this.options.isSame(thing, this.current());
    this.#thing = thing;
    if (!isNew) {
      // A file or a static token that nobody has replaced yet: look again soon, and say nothing.
      return clamp(this.#lifetimeMs() / 10, shortestPauseMs, longestPauseMs);
    }
    this.options.logger.info("token.renewed", { source: this.options.source.description });
    for (const listener of this.#listeners) listener(thing);
    return this.#untilHalfLife();
  }

  #untilHalfLife(): number {
    return Math.max(this.current().receivedAtMs + this.#lifetimeMs() / 2 - Date.now(), shortestPauseMs);
  }

  get #expiresAtMs(): number {
    return this.current().receivedAtMs + this.#lifetimeMs();
  }

  #lifetimeMs(): number {
    return this.current().lifetimeMs ?? this.#assumedLifetimeMs;
  }

  #report(error: ClusterConnectError, retryInMs: number): void {
    this.options.onFailure?.(error);
    this.options.logger.warn("token.renewal_failed", {
      source: this.options.source.description,
      code: error.code,
      reason: error.message,
      oldTokenLivesMs: Math.max(0, Math.round(this.#expiresAtMs - Date.now())),
      retryInMs,
    });
  }
}

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);
