import type { Transport, TransportHandler } from "../../src/tunnel/transport";

type Item = { readonly message: Buffer } | { readonly text: true } | { readonly close: [number, string] };

/** One end of a link inside this process. What is sent counts as buffered until the other end has been given it. */
export class MemoryTransport implements Transport {
  /** How often `close` was called, and with which codes: a session may do it once. */
  readonly closeCalls: { code: number; reason: string }[] = [];
  #other: MemoryTransport | undefined;
  #handler: TransportHandler | undefined;
  #incoming: Item[] = [];
  #bufferedBytes = 0;
  #isPaused = false;
  #isClosing = false;
  #isClosed = false;
  #isScheduled = false;

  /** Two ends of one link. */
  static pair(): [MemoryTransport, MemoryTransport] {
    const ends: [MemoryTransport, MemoryTransport] = [new MemoryTransport(), new MemoryTransport()];
    ends[0].#other = ends[1];
    ends[1].#other = ends[0];
    return ends;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#isClosing) return;
    const message = Buffer.concat(parts);
    this.#bufferedBytes += message.length;
    this.#other?.receive({ message });
  }

  /** What the port does not offer, because no session sends it. */
  sendText(): void {
    this.#other?.receive({ text: true });
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  close(code: number, reason: string): void {
    this.closeCalls.push({ code, reason });
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#other?.receive({ close: [code, reason] });
  }

  abort(): void {
    this.lose();
    this.#other?.lose();
  }

  private receive(item: Item): void {
    if (this.#isClosed) return;
    this.#incoming.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isClosed && this.#handler !== undefined) {
      const item = this.#incoming.shift();
      if (item === undefined) return;
      if ("close" in item) {
        this.#other?.finish(...item.close);
        this.finish(...item.close);
        return;
      }
      if ("message" in item) this.#other?.sent(item.message.length);
      if (this.#isClosing) continue;
      if ("message" in item) this.#handler.message(item.message);
      else this.#handler.textMessage();
    }
  }

  private sent(bytes: number): void {
    this.#bufferedBytes -= bytes;
    if (!this.#isClosing) setImmediate(() => this.#isClosed || this.#handler?.drained());
  }

  private lose(): void {
    this.#isClosing = true;
    this.#incoming = [];
    setImmediate(() => this.finish(1006, ""));
  }

  private finish(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosing = true;
    this.#isClosed = true;
    this.#handler?.closed(code, reason);
  }
}
