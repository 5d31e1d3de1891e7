/** The joined pairs: from the two 101s to the last byte. */
import type { Logger } from "../runtime/logger";
import type { Admission } from "./admission";
import { offeredSubprotocol, type Handshake } from "./handshake";
import type { RelayMetrics } from "./metrics";
import type { PendingSender } from "./pending-senders";
import type { RelaySettings } from "./settings";
import { Splice } from "./splice/splice";
import { switchProtocols } from "./status-line";

/** By what the two ends were let in: the sender, and one of the listeners, who show new tokens as time goes by. */
export interface LinkAdmissions {
  readonly sender: Admission;
  readonly listeners: () => readonly Admission[];
}

export class Links {
  readonly #open = new Map<Splice, LinkAdmissions>();
  #bytesFromSenders = 0;
  #bytesFromListeners = 0;

  constructor(
    private readonly settings: RelaySettings,
    private readonly logger: Logger,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  get heldBytes(): number {
    return [...this.#open.keys()].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  get bytesFromSenders(): number {
    return [...this.#open.keys()].reduce((sum, link) => sum + link.bytesFromSender, this.#bytesFromSenders);
  }

  get bytesFromListeners(): number {
    return [...this.#open.keys()].reduce(
      (sum, link) => sum + link.bytesFromListener,
      this.#bytesFromListeners,
    );
  }

  /** Answers both handshakes and passes on from then on. */
  join(sender: PendingSender, listener: Handshake, metrics: RelayMetrics): void {
    const { cluster, id, admission } = sender;
    const { who } = admission;
    const { closeMs, pingMs } = this.settings.timers;
    const { socket, key, head } = sender.handshake;
    // The listener has chosen; the sender is told what.
    const subprotocol = offeredSubprotocol(listener.request);
    switchProtocols(listener.socket, listener.key, subprotocol);
    switchProtocols(socket, key, subprotocol);
    const link = new Splice(socket, listener.socket, {
      closeTimeoutMs: closeMs,
      pingEveryMs: pingMs,
      maxHeldBytes: this.settings.limits.legBytes,
    });
    this.#open.set(link, { sender: admission, listeners: sender.listeners });
    metrics.opened.inc();
    this.logger.info("link.opened", { cluster, id, who, subprotocol });
    void link.ended.then((end) => {
      this.#open.delete(link);
      this.#bytesFromSenders += end.bytesFromSender;
      this.#bytesFromListeners += end.bytesFromListener;
      if (!end.clean) metrics.lost.inc();
      this.logger.info("link.closed", { cluster, id, ...end });
    });
    link.start(head, listener.head);
  }

  /** Closes the links that are meant. */
  close(reason: string, areMeant: (admissions: LinkAdmissions) => boolean): void {
    for (const [link, admissions] of this.#open) if (areMeant(admissions)) link.close(1008, reason);
  }

  /** Lets open links go on for at most `deadlineMs`, then closes them; resolves when none is left. */
  async drain(deadlineMs: number): Promise<void> {
    const open = [...this.#open.keys()];
    const deadline = setTimeout(() => {
      for (const link of open) link.close(1001, "the relay is shutting down");
    }, deadlineMs);
    await Promise.all(open.map(({ ended }) => ended));
    clearTimeout(deadline);
  }
}
