/**
 * What one identity may have and ask for: links at a time, and openings a minute. By identity and not by address,
 * since the runners of half the world share addresses.
 */
import { Refusal } from "./refusal";

export interface IdentityLimitsOptions {
  readonly linksPerIdentity: number;
  /** As many at once; they are there again a minute later. */
  readonly opensPerIdentityPerMinute: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

interface Use {
  links: number;
  /** Openings that are left, as of `at`. */
  opens: number;
  at: number;
}

const minuteMs = 60_000;
/** What to tell somebody whose links are all in use: nobody knows when one ends. */
const linksRetrySeconds = 10;
/** From how many identities on those are forgotten that use nothing. */
const sweepAbove = 4_096;

export class IdentityLimits {
  readonly #uses = new Map<string, Use>();

  constructor(private readonly options: IdentityLimitsOptions) {}

  /** How many identities are remembered. */
  get size(): number {
    return this.#uses.size;
  }

  /** Counts an opening and a link. Throws a Refusal with 429; else returns what to call when the link is over. */
  open(identity: string): () => void {
    const { linksPerIdentity, opensPerIdentityPerMinute } = this.options;
    const use = this.#useOf(identity);
    if (use.opens < 1) {
      const waitMs = ((1 - use.opens) * minuteMs) / opensPerIdentityPerMinute;
      throw tooMany("opens", "This identity opens connections too often", Math.ceil(waitMs / 1_000));
    }
    if (use.links >= linksPerIdentity) {
      throw tooMany("links", "This identity has its maximum number of connections", linksRetrySeconds);
    }
    use.opens -= 1;
    use.links += 1;
    let isOver = false;
    return () => {
      if (!isOver) use.links -= 1;
      isOver = true;
    };
  }

  #useOf(identity: string): Use {
    const now = (this.options.now ?? (() => performance.now()))();
    const most = this.options.opensPerIdentityPerMinute;
    const known = this.#uses.get(identity);
    if (known === undefined) {
      if (this.#uses.size >= sweepAbove) this.#sweep(now);
      const use = { links: 0, opens: most, at: now };
      this.#uses.set(identity, use);
      return use;
    }
    known.opens = Math.min(most, known.opens + ((now - known.at) * most) / minuteMs);
    known.at = now;
    return known;
  }

  /** A minute after its last opening an identity is as if it had never come. */
  #sweep(now: number): void {
    for (const [identity, { links, at }] of this.#uses) {
      if (links === 0 && now - at >= minuteMs) this.#uses.delete(identity);
    }
  }
}

const tooMany = (what: string, sentence: string, retryAfterSeconds: number) =>
  new Refusal(429, sentence, `identity_${what}`, {}, undefined, retryAfterSeconds);
