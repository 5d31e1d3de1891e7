import type { SessionLimits } from "../protocol/limits";

export interface LivenessEvents {
  /** The other end has been silent for a while: ask. */
  ask(): void;
  /** It has been silent for too long. */
  dead(): void;
  /** It has not said HELLO in time. */
  missing(): void;
  /** Once a tick, for what needs looking after now and then. */
  tick(): void;
}

/**
 * Notices that the other end is gone. Time is counted in ticks during which this process ran: after a suspended
 * laptop or a starved container, what the other end sent meanwhile is read before it is declared dead. Any message
 * counts as life, so bulk data in one direction keeps a session without a PING; only what comes counts, so that
 * bulk data in the other direction cannot hide a dead peer.
 */
export class Liveness {
  readonly #timer: NodeJS.Timeout;
  readonly #ticks: { ask: number; dead: number; hello: number };
  #age = 0;
  #silence = 0;
  #hasHello = false;

  constructor(
    limits: Pick<SessionLimits, "helloTimeoutMs" | "pingAfterMs" | "deadAfterMs">,
    private readonly events: LivenessEvents,
  ) {
    const tickMs = Math.max(1, limits.pingAfterMs / ticksBeforePing);
    const ticks = (ms: number) => Math.ceil(ms / tickMs);
    this.#ticks = {
      ask: ticksBeforePing,
      dead: ticks(limits.deadAfterMs),
      hello: ticks(limits.helloTimeoutMs),
    };
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  heard(): void {
    this.#silence = 0;
  }

  heardHello(): void {
    this.#hasHello = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#age += 1;
    this.#silence += 1;
    if (this.#silence >= this.#ticks.dead) return this.events.dead();
    if (!this.#hasHello && this.#age >= this.#ticks.hello) return this.events.missing();
    if (this.#silence === this.#ticks.ask) this.events.ask();
    this.events.tick();
  }
}

const ticksBeforePing = 10;
