/** A token that is asked for when it is needed, and kept for half of its life. */
import type { Token, TokenSource } from "../credentials/token-source";

const assumedLifetimeMs = 300_000;
/** Shares of its life. */
const renewedAt = 0.5;
const usedUntil = 0.95;

export class LastingToken {
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;

  constructor(private readonly source: TokenSource) {}

  /** Throws the source's error, unless what was kept still lives. */
  async value(signal?: AbortSignal): Promise<string> {
    if (this.#share() < renewedAt) return this.#token?.value ?? "";
    try {
      // Calls that come together get the same one.
      this.#fetching ??= this.source.fetch(signal).finally(() => (this.#fetching = undefined));
      this.#token = await this.#fetching;
    } catch (error) {
      if (this.#share() >= usedUntil) throw error;
    }
    return this.#token?.value ?? "";
  }

  /** What was kept has been refused. */
  forget(): void {
    this.#token = undefined;
  }

  /** How much of its life is over. */
  #share(): number {
    if (this.#token === undefined) return 1;
    const { receivedAtMs, lifetimeMs = assumedLifetimeMs } = this.#token;
    return (Date.now() - receivedAtMs) / lifetimeMs;
  }
}
