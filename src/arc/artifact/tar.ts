/** Reads a tar archive (POSIX ustar, with pax headers that name nothing) entry by entry. */
export interface TarEntry {
  /** As the archive has it. */
  readonly path: string;
  readonly kind: "file" | "folder" | "other";
  readonly bytes: number;
  /** The entry's content; whoever does not read it skips it. */
  content(): AsyncIterable<Buffer>;
}

const blockBytes = 512;

/** Throws an Error on anything that is not an archive, and on headers that would rename the entry after them. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const bytes = new ByteQueue(source);
  for (;;) {
    const header = await bytes.take(blockBytes);
    // Two empty blocks end it; some writers leave the second out.
    if (header === undefined || header.every((byte) => byte === 0)) return;
    const entry = parseHeader(header);
    const padding = (blockBytes - (entry.size % blockBytes)) % blockBytes;
    if (isExtension(entry.type)) {
      const text = (await bytes.must(entry.size + padding)).toString("latin1");
      if (/\d+ (link)?path=/.test(text)) throw new Error("a pax header names a path");
      continue;
    }
    let left = entry.size;
    yield {
      path: entry.path,
      kind: kindOf(entry.type),
      bytes: entry.size,
      async *content() {
        while (left > 0) {
          const chunk = await bytes.some(left);
          left -= chunk.length;
          yield chunk;
        }
      },
    };
    while (left > 0) left -= (await bytes.some(left)).length;
    await bytes.must(padding);
  }
}

const isExtension = (type: string): boolean => type === "x" || type === "g";

function kindOf(type: string): TarEntry["kind"] {
  if (type === "0" || type === "\0") return "file";
  return type === "5" ? "folder" : "other";
}

function parseHeader(header: Buffer): { path: string; size: number; type: string } {
  const text = (start: number, length: number) =>
    header.toString("utf8", start, start + length).replace(/\0[\s\S]*$/, "");
  const octal = (start: number, length: number) => {
    const digits = text(start, length).trim();
    if (!/^[0-7]+$/.test(digits)) throw new Error("a number that is not octal");
    return Number.parseInt(digits, 8);
  };
  // The sum over the header, its own field taken as blanks.
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (sum !== octal(148, 8)) throw new Error("a header whose checksum is wrong");
  const prefix = text(257, 5) === "ustar" ? text(345, 155) : "";
  const name = text(0, 100);
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    size: octal(124, 12),
    type: header.toString("latin1", 156, 157),
  };
}

/** Bytes by count, from chunks of any size. */
class ByteQueue {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly `count` bytes; undefined at the end of the source. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#rest.length < count) {
      const next = await this.#source.next();
      if (next.done !== true) this.#rest = Buffer.concat([this.#rest, next.value]);
      else if (this.#rest.length === 0) return undefined;
      else throw new Error("the archive ends in the middle");
    }
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  async must(count: number): Promise<Buffer> {
    const taken = await this.take(count);
    if (taken === undefined) throw new Error("the archive ends in the middle");
    return taken;
  }

  /** At least one byte, at most `most`. */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) throw new Error("the archive ends in the middle");
      this.#rest = next.value;
    }
    return this.must(Math.min(most, this.#rest.length));
  }
}
