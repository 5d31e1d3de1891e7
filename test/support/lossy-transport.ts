import type { Transport, TransportHandler } from "../../src/tunnel/transport";

/** A link that breaks on command: after some bytes, or by falling silent without a word. */
export class LossyTransport implements Transport {
  #bytesLeft = Infinity;
  #isSilent = false;

  constructor(private readonly link: Transport) {}

  /** The link is lost with the message in which the `bytes`-th byte from now is sent; that message does not arrive. */
  loseAfter(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  /** From now on nothing arrives in either direction, and nobody is told. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  get bufferedBytes(): number {
    return this.link.bufferedBytes;
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#isSilent) return;
    this.#bytesLeft -= parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#bytesLeft <= 0) this.link.abort();
    else this.link.send(parts);
  }

  attach(handler: TransportHandler): void {
    this.link.attach({
      message: (data) => this.#isSilent || handler.message(data),
      textMessage: () => this.#isSilent || handler.textMessage(),
      drained: () => this.#isSilent || handler.drained(),
      closed: (code, reason) => handler.closed(code, reason),
    });
  }

  pause(): void {
    this.link.pause();
  }

  resume(): void {
    this.link.resume();
  }

  close(code: number, reason: string): void {
    this.link.close(code, reason);
  }

  abort(): void {
    this.link.abort();
  }
}
