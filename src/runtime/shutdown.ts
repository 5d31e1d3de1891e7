import { delay } from "./delay";
import type { Logger } from "./logger";
import { messageOf } from "./errors";

/** Stops what was started, last started first; a step that fails is logged and the rest still runs. */
export class Shutdown {
  readonly #steps: { name: string; stop: () => unknown }[] = [];
  #running: Promise<void> | undefined;
  #stepMs = 0;

  constructor(private readonly logger: Logger) {}

  /**
   * Registers how to undo something, to be called right after it was done. What is started while, or after, the rest is
   * stopped comes too late, and is undone at once.
   */
  add(name: string, stop: () => unknown): void {
    this.#steps.push({ name, stop });
    if (this.#running !== undefined) this.#running = this.#running.then(() => this.#runAll(this.#stepMs));
  }

  /** Runs every step once, each for at most the first call's `stepMs`; later calls wait for what is running. */
  run(stepMs = 10_000): Promise<void> {
    if (this.#running === undefined) {
      this.#stepMs = stepMs;
      this.#running = this.#runAll(stepMs);
    }
    return this.#running;
  }

  async #runAll(stepMs: number): Promise<void> {
    for (const { name, stop } of this.#steps.splice(0).reverse()) {
      const deadline = new AbortController();
      try {
        const timeout = delay(stepMs, deadline.signal).then(() => {
          throw new Error(`not stopped within ${String(stepMs)} ms`);
        });
        timeout.catch(() => undefined);
        await Promise.race([Promise.resolve().then(stop), timeout]);
      } catch (error) {
        this.logger.warn("stop.failed", { step: name, reason: messageOf(error) });
      } finally {
        deadline.abort();
      }
    }
  }
}
