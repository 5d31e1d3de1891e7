import type WebSocket from "ws";
import { cutUtf8 } from "../protocol/reason";
import { messageWriterOf, type MessageWriter } from "./websocket-frame";
import type { Transport, TransportHandler } from "./transport";

/**
 * A Transport over an open, paused WebSocket. It is resumed when a handler is attached; what the far end sends before
 * that stays in the network.
 */
export function createWebSocketTransport(webSocket: WebSocket): Transport {
  return new WebSocketTransport(webSocket);
}

class WebSocketTransport implements Transport {
  #handler: TransportHandler | undefined;
  #isPaused = false;
  #isClosing = false;
  /** Messages that ws had read before it was paused. */
  #waiting: Buffer[] = [];
  #closed: { code: number; reason: string } | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  readonly #writer: MessageWriter | undefined;

  constructor(private readonly webSocket: WebSocket) {
    webSocket.binaryType = "nodebuffer";
    this.#writer = messageWriterOf(webSocket);
    // The close event that follows says the same; without a listener the process would die.
    webSocket.on("error", () => undefined);
    webSocket.on("close", (code, reason) => this.#onClose(code, reason.toString("utf8")));
    if (webSocket.readyState === webSocket.CLOSED) queueMicrotask(() => this.#onClose(1006, ""));
  }

  get bufferedBytes(): number {
    return this.webSocket.bufferedAmount;
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#isClosing || this.webSocket.readyState !== this.webSocket.OPEN) return;
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (this.#writer !== undefined) this.#writer(parts, bytes, this.#onSent);
    else this.webSocket.send(Buffer.concat(parts, bytes), this.#onSent);
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler;
    this.webSocket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    const closed = this.#closed;
    if (closed === undefined) this.webSocket.resume();
    else queueMicrotask(() => handler.closed(closed.code, closed.reason));
  }

  pause(): void {
    this.#isPaused = true;
    this.webSocket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#stopped && this.#waiting.length > 0)
      this.#handler?.message(this.#waiting.shift() as Buffer);
    if (!this.#stopped) this.webSocket.resume();
  }

  close(code: number, reason: string): void {
    if (this.#isClosing || this.#closed !== undefined) return;
    this.#isClosing = true;
    this.#waiting = [];
    // The far end's answer has to be read, even if nothing else is wanted any more.
    this.webSocket.resume();
    this.webSocket.close(code, cutUtf8(reason, maxCloseReasonBytes));
    this.#closeTimer = setTimeout(() => this.webSocket.terminate(), closeTimeoutMs);
  }

  abort(): void {
    this.#isClosing = true;
    this.#waiting = [];
    this.webSocket.terminate();
  }

  get #stopped(): boolean {
    return this.#isPaused || this.#isClosing;
  }

  readonly #onSent = (): void => {
    if (this.#closed === undefined) this.#handler?.drained();
  };

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#isClosing) return;
    if (!isBinary) return this.#handler?.textMessage();
    if (this.#isPaused) this.#waiting.push(data);
    else this.#handler?.message(data);
  }

  #onClose(code: number, reason: string): void {
    if (this.#closed !== undefined) return;
    clearTimeout(this.#closeTimer);
    this.#closed = { code, reason };
    this.#handler?.closed(code, reason);
  }
}

/** RFC 6455 §5.5: a control frame holds 125 bytes, two of which are the code. */
const maxCloseReasonBytes = 123;
/** How long the far end may take to answer a close before the link is dropped. */
const closeTimeoutMs = 3_000;
