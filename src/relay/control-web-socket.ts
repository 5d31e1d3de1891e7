import WebSocket from "ws";

/**
 * Tells as soon as either end closes, by the event `closing` with the code. The event `close` comes only when the
 * connection is gone, up to half a minute later, and a listener that says farewell must not be given senders until then.
 */
export class ControlWebSocket extends WebSocket {
  /** `ws` calls this for the far end's Close frame too. */
  override close(code?: number, reason?: string | Buffer): void {
    const isFirst = this.readyState === WebSocket.OPEN;
    super.close(code, reason);
    if (isFirst) this.emit("closing", code ?? noStatusReceived);
  }
}

/** RFC 6455 §7.4.1. */
const noStatusReceived = 1005;
