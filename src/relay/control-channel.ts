/** One registered listener: the relay's end of its control channel. */
import {
  maxControlMessageBytes,
  parseControlMessage,
  renewTokenMessage,
  type AcceptMessage,
} from "../hybrid-connections/control-messages";
import type { Admission } from "./admission";
import type { ControlWebSocket } from "./control-web-socket";

export interface ControlChannelOptions {
  readonly id: string;
  readonly cluster: string;
  readonly admission: Admission;
  /** Channels of one group count as one listener when a sender's is chosen. */
  readonly group: string;
  readonly expiryGraceMs: number;
  readonly pingEveryMs: number;
  /** Unsent bytes at which it is taken for stuck, and not used. */
  readonly maxBufferedBytes: number;
  /** Checks a renewed token; rejects if it is not accepted. */
  readonly renew: (token: string) => Promise<Admission>;
  /** Called once, as soon as either end closes the channel or its connection is lost. */
  readonly onGone: (channel: ControlChannel, code: number) => void;
}

export class ControlChannel {
  readonly #pinger: NodeJS.Timeout;
  #expiry: NodeJS.Timeout | undefined;
  #silentPeriods = 0;
  #isGone = false;
  #isRenewing = false;
  #admission: Admission;
  /** The last token that came while another was being checked. */
  #nextToken: string | undefined;

  constructor(
    private readonly webSocket: ControlWebSocket,
    private readonly options: ControlChannelOptions,
  ) {
    this.#admission = options.admission;
    const heard = () => (this.#silentPeriods = 0);
    webSocket.on("pong", heard).on("ping", heard);
    webSocket.on("message", (data: Buffer, isBinary: boolean) => {
      heard();
      if (!isBinary) this.#onMessage(data.toString("utf8"));
    });
    // The close event that follows tells the same.
    webSocket.on("error", () => undefined);
    const gone = (code: number) => this.#gone(code);
    webSocket.on("closing", gone).on("close", gone);
    this.#pinger = setInterval(() => this.#ping(), options.pingEveryMs);
    this.#scheduleExpiry(options.admission.expiresAtMs);
  }

  get id(): string {
    return this.options.id;
  }

  /** What it is let in by; with a renewed token, by that one. */
  get admission(): Admission {
    return this.#admission;
  }

  get cluster(): string {
    return this.options.cluster;
  }

  get group(): string {
    return this.options.group;
  }

  get isUsable(): boolean {
    const { readyState, OPEN, bufferedAmount } = this.webSocket;
    return !this.#isGone && readyState === OPEN && bufferedAmount < this.options.maxBufferedBytes;
  }

  /** Announces a sender; false when the message is too long for a control channel. */
  announce(accept: AcceptMessage): boolean {
    const text = JSON.stringify({ accept });
    if (Buffer.byteLength(text) > maxControlMessageBytes) return false;
    this.webSocket.send(text);
    return true;
  }

  close(code: number, reason: string): void {
    this.webSocket.close(code, reason);
  }

  #ping(): void {
    this.#silentPeriods += 1;
    if (this.#silentPeriods > maxSilentPeriods) this.webSocket.terminate();
    else if (this.webSocket.readyState === this.webSocket.OPEN) this.webSocket.ping();
  }

  #onMessage(text: string): void {
    const token = parseControlMessage(text, renewTokenMessage)?.renewToken.token;
    if (token === undefined) return;
    this.#nextToken = token;
    if (!this.#isRenewing) void this.#renew();
  }

  /** One check at a time, whatever the listener sends. A renewal has no answer but Close. */
  async #renew(): Promise<void> {
    this.#isRenewing = true;
    try {
      while (this.#nextToken !== undefined) {
        const token = this.#nextToken;
        this.#nextToken = undefined;
        this.#admission = await this.options.renew(token);
        if (!this.#isGone) this.#scheduleExpiry(this.#admission.expiresAtMs);
      }
    } catch {
      this.close(1008, "the renewed token is not accepted");
    }
    this.#isRenewing = false;
  }

  #scheduleExpiry(expiresAtMs: number): void {
    clearTimeout(this.#expiry);
    const remainingMs = expiresAtMs + this.options.expiryGraceMs - Date.now();
    // A timer holds 2^31 - 1 ms; a token that lives longer is looked at again then.
    const waitMs = Math.min(Math.max(remainingMs, 0), 2_147_483_647);
    this.#expiry = setTimeout(() => {
      if (waitMs < remainingMs) this.#scheduleExpiry(expiresAtMs);
      else this.close(1008, "the token has expired");
    }, waitMs);
  }

  #gone(code: number): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearInterval(this.#pinger);
    clearTimeout(this.#expiry);
    this.options.onGone(this, code);
  }
}

/** Pings that may go unanswered. */
const maxSilentPeriods = 2;
