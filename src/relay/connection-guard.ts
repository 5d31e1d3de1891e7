/**
 * Bounds for connections whose caller has not been admitted yet: in all, and from one address. They end with the
 * admission, so that many agents behind one address are no flood, and a flood is no reason to refuse admitted ones.
 */
import type { Socket } from "node:net";
import { socketSource, type SourceAddress } from "./source-address";

export interface ConnectionGuardOptions {
  readonly maxStrangers: number;
  /** Infinity where every connection comes from the same balancer. */
  readonly maxStrangersPerAddress: number;
}

export class ConnectionGuard {
  readonly #strangers = new Map<string, SourceAddress>();
  readonly #perAddress = new Map<string, number>();

  constructor(private readonly options: ConnectionGuardOptions) {}

  get size(): number {
    return this.#strangers.size;
  }

  /** Counts a new connection until it is admitted or closed; false when there is no room for it. */
  enter(socket: Socket): boolean {
    const source = socketSource(socket);
    // Reset before it was looked at.
    if (source.address === "") return false;
    const fromThere = this.#perAddress.get(source.address) ?? 0;
    const { maxStrangers, maxStrangersPerAddress } = this.options;
    if (this.#strangers.size >= maxStrangers || fromThere >= maxStrangersPerAddress) return false;
    const key = keyOf(source);
    this.#strangers.set(key, source);
    this.#perAddress.set(source.address, fromThere + 1);
    socket.once("close", () => this.#leave(key));
    return true;
  }

  /** The caller of this connection, or of the TLS connection over it, has shown who he is. */
  admit(socket: Socket): void {
    this.#leave(keyOf(socketSource(socket)));
  }

  #leave(key: string): void {
    const source = this.#strangers.get(key);
    if (source === undefined) return;
    this.#strangers.delete(key);
    const left = (this.#perAddress.get(source.address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(source.address);
    else this.#perAddress.set(source.address, left);
  }
}

/** Address and port tell a connection from every other that is open; Node does not tell which socket TLS runs over. */
const keyOf = ({ address, port }: SourceAddress): string => `${address} ${String(port)}`;
