import { randomInt } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
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

  /** Listeners that can be used. */
  count(cluster: string): number {
    return this.#usable(cluster).length;
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

  /**
   * One usable listener at random, of those that meet the criteria and have not been tried. One that has come back as
   * many times over counts once.
   */
  choose(
    cluster: string,
    criteria: ListenerCriteria,
    tried: ReadonlySet<ControlChannel>,
  ): ControlChannel | undefined {
    const groups = groupsOf(
      this.#usable(cluster).filter((channel) => !tried.has(channel) && meets(channel, criteria)),
    );
    const group = pick([...groups.values()]);
    return group === undefined ? undefined : pick(group);
  }

  /** One of the largest group at `cluster`, if it has more than one and is not `group`: a place that can be given up. */
  findDuplicate(cluster: string, group: string): ControlChannel | undefined {
    const groups = [...groupsOf(this.#usable(cluster)).values()];
    const largest = groups.sort((one, other) => other.length - one.length)[0] ?? [];
    return largest.length > 1 && largest[0]?.group !== group ? largest.at(-1) : undefined;
  }

  #usable(cluster: string): ControlChannel[] {
    return [...(this.#byCluster.get(cluster) ?? [])].filter(({ isUsable }) => isUsable);
  }
}

function groupsOf(channels: readonly ControlChannel[]): Map<string, ControlChannel[]> {
  const groups = new Map<string, ControlChannel[]>();
  for (const channel of channels) {
    const group = groups.get(channel.group);
    if (group === undefined) groups.set(channel.group, [channel]);
    else group.push(channel);
  }
  return groups;
}

const pick = <Item>(items: readonly Item[]): Item | undefined =>
  items.length === 0 ? undefined : items[randomInt(items.length)];

/** The service appends `_G` and a number to ids; senders name listeners by what stands before. */
const plainId = (id: string): string => (id.split("_")[0] ?? "").trim().toLowerCase();

function meets(channel: ControlChannel, { allowed, disallowed }: ListenerCriteria): boolean {
  const id = plainId(channel.id);
  return (allowed === undefined || allowed.has(id)) && !disallowed.has(id);
}

/** Reads the two headers: lists of ids separated by commas. */
export function readCriteria(headers: IncomingHttpHeaders): ListenerCriteria {
  const list = (name: string) => {
    const value = headers[name];
    return typeof value === "string" ? new Set(value.split(",").map(plainId)) : undefined;
  };
  return {
    allowed: list("microsoft-relay-allowedlisteners"),
    disallowed: list("microsoft-relay-disallowedlisteners") ?? new Set(),
  };
}
