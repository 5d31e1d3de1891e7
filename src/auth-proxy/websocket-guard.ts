/**
 * Follows the frames of a WebSocket on their way from the apiserver to the caller, without changing a byte of
 * them, so that the loss of the apiserver can be told as what it is. kubectl takes an exec that ends without a
 * status for a success when the WebSocket is closed in order.
 *
 * RFC 6455 §5.2 frames; Kubernetes' v4 and v5.channel.k8s.io: a message's first byte is its channel, channel 3
 * carries one metav1.Status, how the command ended.
 */
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8 } as const;
const statusChannel = 3;

/** What can still be said to the caller when his stream ends without an end of the apiserver's. */
export type LastWords =
  /** The far end closed in order; there is nothing to add. */
  | { readonly kind: "closed" }
  /** Frames that may follow what was passed on. */
  | { readonly kind: "frames"; readonly frames: Buffer }
  /** Lost within a frame: whatever is added now would be read as the rest of it. */
  | { readonly kind: "mid-frame" };

/** What the caller is told when the stream ends before its time. */
export interface FailureWords {
  /** The metav1.Status for channel 3, as JSON. */
  readonly status: string;
  /** kubectl prints this one; at most 123 bytes (RFC 6455 §5.5). */
  readonly closeReason: string;
}

export interface WebSocketGuard {
  /** Bytes to pass on for these bytes from the apiserver, in order. */
  pass(chunk: Buffer): Buffer[];
  /** The same, up to where the message under way ends; the rest of `chunk` is dropped. */
  passToMessageEnd(chunk: Buffer): Buffer[];
  /** Whether frames may be added now without falling into a message of the apiserver's. */
  readonly isBetweenMessages: boolean;
  /** For a stream that ends here and now: because the apiserver is lost, or for the reason given. */
  lastWords(because?: FailureWords): LastWords;
}

export interface WebSocketGuardOptions {
  /** Whether channel 3 of this stream is a command's status: exec and attach over v4 or v5.channel.k8s.io. */
  readonly expectsStatus: boolean;
  /** What to say when the apiserver is lost. */
  readonly loss: FailureWords;
}

export function createWebSocketGuard(options: WebSocketGuardOptions): WebSocketGuard {
  const tracker = new FrameTracker();
  const needsStatus = () => options.expectsStatus && !tracker.statusSeen;
  const failure = ({ status } = options.loss) => serverFrame(opcodes.binary, statusChannel, status);
  const guard: WebSocketGuard = {
    pass(chunk) {
      const parts: Buffer[] = [];
      let from = 0;
      for (let at = 0; at < chunk.length;) {
        // An orderly close before any status: tell the failure first, while a message may still be sent.
        const isClose = tracker.atBoundary && ((chunk[at] ?? 0) & 0x0f) === opcodes.close;
        if (isClose && needsStatus() && !tracker.inMessage) {
          parts.push(chunk.subarray(from, at), failure());
          from = at;
        }
        at = tracker.advance(chunk, at);
      }
      parts.push(chunk.subarray(from));
      return parts.filter((part) => part.length > 0);
    },
    passToMessageEnd(chunk) {
      let at = 0;
      while (at < chunk.length && !guard.isBetweenMessages) at = tracker.advance(chunk, at);
      return at === 0 ? [] : [chunk.subarray(0, at)];
    },
    get isBetweenMessages() {
      return tracker.atBoundary && !tracker.inMessage;
    },
    lastWords(because = options.loss) {
      if (tracker.closeSeen) return { kind: "closed" };
      if (!tracker.atBoundary) return { kind: "mid-frame" };
      // Between the fragments of a message only control frames may stand (RFC 6455 §5.4).
      const status = needsStatus() && !tracker.inMessage ? [failure(because)] : [];
      const close = closeFrame(1011, because.closeReason);
      return { kind: "frames", frames: Buffer.concat([...status, close]) };
    },
  };
  return guard;
}

class FrameTracker {
  #header: number[] = [];
  #payloadLeft = 0;
  #opcode = 0;
  #final = true;
  /** Of the message under way: its channel, once known, and how many payload bytes it has had. */
  #channel: number | undefined;
  #messageBytes = 0;
  inMessage = false;
  statusSeen = false;
  closeSeen = false;

  get atBoundary(): boolean {
    return this.#header.length === 0 && this.#payloadLeft === 0;
  }

  /** Takes bytes of `chunk` from `at` on, at most to the end of a frame. Returns the offset of the next byte. */
  advance(chunk: Buffer, at: number): number {
    if (this.#payloadLeft === 0) {
      this.#header.push(chunk[at] ?? 0);
      if (this.#header.length >= headerLength(this.#header)) this.#beginPayload();
      return at + 1;
    }
    const end = Math.min(at + this.#payloadLeft, chunk.length);
    if (this.#isData) {
      this.#channel ??= chunk[at];
      this.#messageBytes += end - at;
    }
    this.#payloadLeft -= end - at;
    if (this.#payloadLeft === 0) this.#endFrame();
    return end;
  }

  get #isData(): boolean {
    return this.#opcode <= opcodes.binary;
  }

  #beginPayload(): void {
    const [first = 0] = this.#header;
    this.#opcode = first & 0x0f;
    this.#final = (first & 0x80) !== 0;
    this.#payloadLeft = payloadLength(this.#header);
    this.#header = [];
    if (this.#isData && !this.inMessage) {
      this.inMessage = true;
      this.#channel = undefined;
      this.#messageBytes = 0;
    }
    if (this.#payloadLeft === 0) this.#endFrame();
  }

  #endFrame(): void {
    if (this.#opcode === opcodes.close) this.closeSeen = true;
    if (!this.#isData || !this.#final) return;
    this.inMessage = false;
    // The apiserver opens each channel with a message that holds nothing but the channel's number.
    if (this.#channel === statusChannel && this.#messageBytes > 1) this.statusSeen = true;
  }
}

/** How long the header that begins with these bytes is; servers do not mask, yet a mask is counted if there is one. */
function headerLength([, second]: readonly number[]): number {
  if (second === undefined) return 2;
  const extended = { 126: 2, 127: 8 }[second & 0x7f] ?? 0;
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
}

function payloadLength(header: readonly number[]): number {
  const short = (header[1] ?? 0) & 0x7f;
  const width = { 126: 2, 127: 8 }[short] ?? 0;
  if (width === 0) return short;
  return header.slice(2, 2 + width).reduce((sum, byte) => sum * 256 + byte, 0);
}

function serverFrame(opcode: number, channel: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text, "utf8")]);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length]), payload]);
}

function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason, "utf8");
  return Buffer.concat([Buffer.from([0x80 | opcodes.close, 2 + text.length, code >> 8, code & 0xff]), text]);
}
