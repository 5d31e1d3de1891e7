/**
 * Streams that we have reset while the other end could still send on them. Its frames that were under way are
 * ignored; on any other stream that is over they would end the session. An entry is forgotten with the stream's last
 * frame, or when a PONG proves that the other end has seen our RESET, because the link keeps order.
 */
export class ResetStreams {
  #recent = new Set<number>();
  /** Those from before the PING that is under way. */
  #pinged = new Set<number>();

  get size(): number {
    return this.#recent.size + this.#pinged.size;
  }

  add(stream: number): void {
    this.#recent.add(stream);
  }

  has(stream: number): boolean {
    return this.#recent.has(stream) || this.#pinged.has(stream);
  }

  delete(stream: number): void {
    this.#recent.delete(stream);
    this.#pinged.delete(stream);
  }

  pingSent(): void {
    this.#pinged = this.#recent;
    this.#recent = new Set();
  }

  pongReceived(): void {
    this.#pinged = new Set();
  }
}
