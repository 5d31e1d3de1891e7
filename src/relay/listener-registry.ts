import { randomInt } from "node:crypto";
import type { ControlChannel } from "./control-channel";

/** Which listeners a sender will take: `Microsoft-Relay-AllowedListeners` and its opposite. */
export interface ListenerCriteria {
  readonly allowed: ReadonlySet<string> | undefined;
  readonly disallowed: ReadonlySet<string>;
}

/** The registered listeners of every cluster. */
export class ListenerRegistry {
  readonly #byCluster = new Map<string, Set<ControlChannel>>();

  get size(): number {
    return [...this.#byCluster.values()].reduce((sum, channels) => sum + channels.size, 0);
  }

  /** Listeners that can be used; one whose Close frame has come is none, though its connection may linger. */
  count(cluster: string): number {
    return [...(this.#byCluster.get(cluster) ?? [])].filter(({ isUsable }) => isUsable).length;
  }

  add(channel: ControlChannel): void {
    const channels = this.#byCluster.get(channel.cluster) ?? new Set();
    this.#byCluster.set(channel.cluster, channels.add(channel));
  }

  remove(channel: ControlChannel): void {
    const channels = this.#byCluster.get(channel.cluster);
    channels?.delete(channel);
    if (channels?.size === 0) this.#byCluster.delete(channel.cluster);
  }

  all(): ControlChannel[] {
    return [...this.#byCluster.values()].flatMap((channels) => [...channels]);
  }

  /** One usable listener at random, of those that meet the criteria and have not been tried. */
  choose(
    cluster: string,
    criteria: ListenerCriteria,
    tried: ReadonlySet<ControlChannel>,
  ): ControlChannel | undefined {
    const candidates = [...(this.#byCluster.get(cluster) ?? [])].filter(
      (channel) => channel.isUsable && !tried.has(channel) && meets(channel, criteria),
    );
    return candidates.length === 0 ? undefined : candidates[randomInt(candidates.length)];
  }
}

function meets(channel: ControlChannel, { allowed, disallowed }: ListenerCriteria): boolean {
  const id = channel.id.toLowerCase();
  return (allowed === undefined || allowed.has(id)) && !disallowed.has(id);
}

/** Reads the two headers: lists of ids separated by commas. */
export function readCriteria(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): ListenerCriteria {
  const list = (name: string) => {
    const value = headers[name];
    if (typeof value !== "string") return undefined;
    return new Set(value.split(",").map((id) => id.trim().toLowerCase()));
  };
  return {
    allowed: list("microsoft-relay-allowedlisteners"),
    disallowed: list("microsoft-relay-disallowedlisteners") ?? new Set(),
  };
}
