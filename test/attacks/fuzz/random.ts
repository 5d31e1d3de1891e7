/** A seeded source of choices: the same seed makes the same run, on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32: an integer from 0 to `below` - 1. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  chance(oneIn: number): boolean {
    return this.int(oneIn) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(items.length)] as Item;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)));
  }

  /** A source of its own for one case, so that a case does not depend on how much those before it have drawn. */
  fork(): Random {
    return new Random(this.int(0xffff_ffff));
  }
}

/** Changes a few bytes of anything: overwritten, put in, taken out, doubled, cut off. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let count = 1 + random.int(3); count > 0; count -= 1) {
    const at = random.int(Math.max(1, result.length));
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    result = random.pick([
      () => Buffer.concat([before, random.bytes(1 + random.int(4)), after]),
      () => Buffer.concat([before, after.subarray(1 + random.int(8))]),
      () => Buffer.concat([before, random.bytes(Math.min(4, after.length)), after.subarray(4)]),
      () => Buffer.concat([before, after, after]),
      () => before,
      () => Buffer.concat([before, random.pick(interesting), after]),
    ])();
  }
  return result;
}

/** What parsers trip over. */
const interesting = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  ":",
  " ",
  "\t",
  ",",
  ";",
  "\r\n\r\n",
  "%00",
  "\x7f",
  "\xff",
  "\u0080",
].map((text) => Buffer.from(text, "latin1"));
