/** A token that is asked for when it is needed, and kept for half of its life. */
import type { Token, TokenSource } from "../credentials/token-source";

const assumedLifetimeMs = 300_000;

export class LastingToken {
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;

  constructor(private readonly source: TokenSource) {}

  /** Throws the source's error. */
  async value(signal?: AbortSignal): Promise<string> {
    const kept = this.#token;
    if (kept !== undefined && Date.now() < kept.receivedAtMs + (kept.lifetimeMs ?? assumedLifetimeMs) / 2) {
      return kept.value;
    }
    // Calls that come together get the same one.
    this.#fetching ??= this.source.fetch(signal).finally(() => (this.#fetching = undefined));
    this.#token = await this.#fetching;
    return this.#token.value;
  }

  /** What was kept has been refused. */
  forget(): void {
    this.#token = undefined;
  }
}
