import type { ClusterConnectError } from "../runtime/errors";
import type { ConnectionFacts, ControlStatus } from "./control";
import { isPermanent } from "./permanent-failures";

/** A failure that trying again will not mend counts when it has come twice: a restarting hop may refuse once. */
const confirmations = 2;

/** How far the connection has come; decides when `connecting` has become `ready` or `failed`. */
export class Phase {
  #phase: ControlStatus["phase"] = "connecting";
  #failure: ClusterConnectError | undefined;
  #connection: ConnectionFacts | undefined;
  #confirmed = 0;
  readonly #waiting = new Set<() => void>();

  get current(): ControlStatus["phase"] {
    return this.#phase;
  }

  get failure(): ClusterConnectError | undefined {
    return this.#failure;
  }

  get connection(): ConnectionFacts | undefined {
    return this.#connection;
  }

  ready(connection: ConnectionFacts): void {
    this.#connection = connection;
    this.#failure = undefined;
    this.#become("ready");
  }

  /** Notes what stands in the way. `isFinal`: no attempt will follow. */
  report(failure: ClusterConnectError, isFinal = false): void {
    const isSame = failure.code === this.#failure?.code;
    this.#confirmed = isPermanent(failure) ? (isSame ? this.#confirmed + 1 : 1) : 0;
    this.#failure = failure;
    if (this.#phase === "connecting" && (isFinal || this.#confirmed >= confirmations)) this.#become("failed");
  }

  stopped(): void {
    this.#become("stopped");
  }

  /** Resolves when it is no longer `connecting`, or when `signal` aborts. */
  settled(signal: AbortSignal): Promise<void> {
    if (this.#phase !== "connecting" || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #become(phase: ControlStatus["phase"]): void {
    this.#phase = phase;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
