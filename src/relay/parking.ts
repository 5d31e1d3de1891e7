/**
 * Listen handshakes that are not refused, though they could be. A listener on `ws` 1.x answers each failed handshake
 * with two new attempts and no pause; one that hears nothing waits, and one whose channel is closed comes back once. So
 * it is left unanswered, and later, or when there is no room, let in only to be closed with the reason.
 * Those over the limit of a cluster are on standby for a place.
 */
import type { Socket } from "node:net";
import type { Handshake } from "./handshake";
import { encodeClose } from "./splice/frame-header";
import { lingerThenDestroy } from "./splice/linger";
import { switchProtocols } from "./status-line";

export interface ParkingOptions {
  readonly maxBytes: number;
  readonly maxPerAddress: number;
  /** How long a handshake is left unanswered: less than balancers allow. */
  readonly parkedMs: number;
  /** How long one without room is let in before it is closed. */
  readonly turnAwayMs: number;
  /** How long a closed one may take to go. */
  readonly lingerMs: number;
}

export interface Farewell {
  readonly code: number;
  readonly reason: string;
}

interface Parked {
  readonly socket: Socket;
  readonly key: string;
  readonly address: string;
  readonly bytes: number;
  /** Kept only by those that may still be served. */
  readonly standby: { readonly handshake: Handshake; readonly cluster: string } | undefined;
  readonly leave: () => void;
}

/** What a waiting connection costs, TLS included, as measured; its headers come on top. */
const connectionBytes = { tls: 49_152, plain: 16_384 } as const;

export class Parking {
  readonly #parked = new Set<Parked>();
  readonly #perAddress = new Map<string, number>();
  #bytes = 0;

  constructor(private readonly options: ParkingOptions) {}

  get size(): number {
    return this.#parked.size;
  }

  /** Leaves a handshake unanswered; with `cluster`, on standby for a place there. */
  park(handshake: Handshake, farewell: Farewell, cluster?: string): void {
    const { socket, key, source } = handshake;
    if (socket.destroyed) return;
    const standby = cluster === undefined ? undefined : { handshake, cluster };
    const bytes = bytesOf(handshake, standby !== undefined);
    const fromThere = this.#perAddress.get(source.address) ?? 0;
    if (this.#bytes + bytes > this.options.maxBytes || fromThere >= this.options.maxPerAddress) {
      return this.#turnAway(socket, key, farewell, this.options.turnAwayMs);
    }
    const timer = setTimeout(() => {
      entry.leave();
      this.#turnAway(socket, key, farewell, 0);
    }, this.options.parkedMs);
    // Reading is what shows an end; nobody may speak before the answer.
    const drop = () => socket.destroy();
    const leave = () => {
      clearTimeout(timer);
      socket.off("close", leave).off("end", drop).off("data", drop).pause();
      this.#remove(entry);
    };
    const entry: Parked = { socket, key, address: source.address, bytes, standby, leave };
    socket.on("close", leave).on("end", drop).on("data", drop).resume();
    this.#parked.add(entry);
    this.#bytes += bytes;
    this.#perAddress.set(source.address, fromThere + 1);
  }

  /** The one that has waited longest for a place at `cluster`. */
  next(cluster: string): Handshake | undefined {
    for (const { standby, leave } of this.#parked) {
      if (standby?.cluster !== cluster) continue;
      leave();
      return standby.handshake;
    }
    return undefined;
  }

  /** Drops everybody. */
  close(): void {
    for (const { socket } of [...this.#parked]) socket.destroy();
  }

  #turnAway(socket: Socket, key: string, { code, reason }: Farewell, afterMs: number): void {
    switchProtocols(socket, key, undefined);
    socket.resume();
    const timer = setTimeout(() => {
      socket.write(encodeClose(code, reason));
      lingerThenDestroy(socket, this.options.lingerMs);
    }, afterMs);
    socket.once("end", () => socket.destroy()).once("close", () => clearTimeout(timer));
  }

  #remove(entry: Parked): void {
    if (!this.#parked.delete(entry)) return;
    this.#bytes -= entry.bytes;
    const left = (this.#perAddress.get(entry.address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(entry.address);
    else this.#perAddress.set(entry.address, left);
  }
}

function bytesOf({ socket, request }: Handshake, keepsHeaders: boolean): number {
  const connection = "encrypted" in socket ? connectionBytes.tls : connectionBytes.plain;
  if (!keepsHeaders) return connection;
  return request.rawHeaders.reduce(
    (sum, { length }) => sum + length,
    connection + (request.url?.length ?? 0),
  );
}
