/** One registered listener: the relay's end of its control channel. */
import type WebSocket from "ws";
import {
  maxControlMessageBytes,
  parseControlMessage,
  renewTokenMessage,
  type AcceptMessage,
} from "../hybrid-connections/control-messages";
import type { Logger } from "../runtime/logger";
import type { Admission } from "./admission";

/** Unsent bytes at which a channel is taken for stuck, and not used. */
const maxBufferedBytes = 1_048_576;

export interface ControlChannelOptions {
  readonly id: string;
  readonly cluster: string;
  readonly admission: Admission;
  readonly expiryGraceMs: number;
  readonly pingEveryMs: number;
  readonly renew: (token: string) => Promise<Admission>;
  /** Called once, when the channel has closed. It has not been usable since its Close frame came. */
  readonly onGone: (channel: ControlChannel) => void;
  readonly logger: Logger;
}

export class ControlChannel {
  readonly #pinger: NodeJS.Timeout;
  #expiry: NodeJS.Timeout | undefined;
  #silentPeriods = 0;
  #isGone = false;

  constructor(
    private readonly webSocket: WebSocket,
    private readonly options: ControlChannelOptions,
  ) {
    const heard = () => (this.#silentPeriods = 0);
    webSocket.on("pong", heard).on("ping", heard);
    webSocket.on("message", (data: Buffer, isBinary: boolean) => {
      heard();
      if (!isBinary) void this.#onMessage(data.toString("utf8"));
    });
    webSocket.on("error", (error) => options.logger.info("listener.error", { reason: error.message }));
    webSocket.on("close", () => this.#gone());
    this.#pinger = setInterval(() => this.#ping(), options.pingEveryMs);
    this.#scheduleExpiry(options.admission.expiresAtMs);
  }

  get id(): string {
    return this.options.id;
  }

  get cluster(): string {
    return this.options.cluster;
  }

  get isUsable(): boolean {
    const { readyState, OPEN, bufferedAmount } = this.webSocket;
    return !this.#isGone && readyState === OPEN && bufferedAmount < maxBufferedBytes;
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
    if (this.#silentPeriods > 2) this.webSocket.terminate();
    else if (this.webSocket.readyState === this.webSocket.OPEN) this.webSocket.ping();
  }

  async #onMessage(text: string): Promise<void> {
    const renewal = parseControlMessage(text, renewTokenMessage);
    if (renewal === undefined) return;
    try {
      const { expiresAtMs } = await this.options.renew(renewal.renewToken.token);
      if (!this.#isGone) this.#scheduleExpiry(expiresAtMs);
    } catch (error) {
      this.options.logger.warn("listener.renewal_refused", { reason: error });
      this.close(1008, "the renewed token is not accepted");
    }
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

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearInterval(this.#pinger);
    clearTimeout(this.#expiry);
    this.options.onGone(this);
  }
}
