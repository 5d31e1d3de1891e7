/**
 * Listen handshakes that are left unanswered. A listener on `ws` 1.x answers each refusal with two new attempts and
 * no pause; one that hears nothing waits. Those over the limit of a cluster are on standby for a place.
 */
import type { Handshake } from "./handshake";

export interface ParkingOptions {
  readonly maxParked: number;
  readonly maxParkedPerAddress: number;
  readonly parkedMs: number;
}

interface Parked {
  readonly handshake: Handshake;
  /** The cluster whose place it waits for; undefined for one that will not be admitted. */
  readonly cluster: string | undefined;
  readonly timer: NodeJS.Timeout;
}

export class Parking {
  readonly #parked = new Set<Parked>();

  constructor(private readonly options: ParkingOptions) {}

  get size(): number {
    return this.#parked.size;
  }

  /** Leaves a handshake waiting; its connection is dropped when the time is over or there are too many. */
  park(handshake: Handshake, cluster: string | undefined): void {
    const { socket, remoteAddress } = handshake;
    const fromThere = [...this.#parked].filter(
      (other) => other.handshake.remoteAddress === remoteAddress,
    ).length;
    if (this.#parked.size >= this.options.maxParked || fromThere >= this.options.maxParkedPerAddress) {
      socket.destroy();
      return;
    }
    const entry: Parked = {
      handshake,
      cluster,
      timer: setTimeout(() => socket.destroy(), this.options.parkedMs),
    };
    this.#parked.add(entry);
    const leave = () => this.#leave(entry);
    socket
      .on("error", leave)
      .on("close", leave)
      .on("end", () => socket.destroy())
      .resume();
  }

  /** The one that has waited longest for a place at `cluster`. */
  next(cluster: string): Handshake | undefined {
    const entry = [...this.#parked].find(
      (parked) => parked.cluster === cluster && !parked.handshake.socket.destroyed,
    );
    if (entry === undefined) return undefined;
    this.#leave(entry);
    const { socket } = entry.handshake;
    socket.removeAllListeners("end").removeAllListeners("close").removeAllListeners("error").pause();
    return entry.handshake;
  }

  close(): void {
    for (const { handshake } of [...this.#parked]) handshake.socket.destroy();
  }

  #leave(entry: Parked): void {
    clearTimeout(entry.timer);
    this.#parked.delete(entry);
  }
}
