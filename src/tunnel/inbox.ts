/**
 * Bytes that have come and that their reader cannot take yet. A chunk is a view of its whole message, so a stalled
 * stream fed one byte a message would pin 256 KiB for each byte of its credit: what is small beside the buffer under
 * it is copied together instead, and what is held costs about what it counts.
 */
export class Inbox {
  readonly #chunks: Buffer[] = [];
  /** The free rest of the block that the last chunk was copied into. */
  #free: Buffer = Buffer.alloc(0);
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (!isSmallPart(chunk)) {
      this.#free = Buffer.alloc(0);
      this.#chunks.push(chunk);
      return;
    }
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#free.length === 0) this.#free = Buffer.allocUnsafeSlow(blockBytes);
      const copied = rest.copy(this.#free);
      this.#append(this.#free.subarray(0, copied));
      this.#free = this.#free.subarray(copied);
      rest = rest.subarray(copied);
    }
  }

  /** The oldest chunk. */
  shift(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    if (this.#chunks.length === 0) this.#free = Buffer.alloc(0);
    return chunk;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#free = Buffer.alloc(0);
    this.#bytes = 0;
  }

  /** Joins `copy` to the last chunk if it lies right behind it in the same block. */
  #append(copy: Buffer): void {
    const last = this.#chunks.at(-1);
    const joins =
      last !== undefined &&
      last.buffer === copy.buffer &&
      last.byteOffset + last.length === copy.byteOffset &&
      copy.byteOffset > 0;
    if (joins) this.#chunks[this.#chunks.length - 1] = spanning(last, copy);
    else this.#chunks.push(copy);
  }
}

const blockBytes = 16 * 1024;

function spanning(first: Buffer, second: Buffer): Buffer {
  return Buffer.from(first.buffer as ArrayBuffer, first.byteOffset, first.length + second.length);
}

/** Whether keeping `chunk` would keep much more alive than itself. */
export function isSmallPart(chunk: Buffer): boolean {
  const wholeBytes = chunk.buffer.byteLength;
  return wholeBytes > blockBytes && chunk.length * 4 < wholeBytes;
}
