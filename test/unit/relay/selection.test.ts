import type { ControlChannel } from "../../../src/relay/control-channel";
import { ListenerRegistry, readCriteria, type ListenerCriteria } from "../../../src/relay/listener-registry";

const channel = (id: string, changes: Partial<Record<keyof ControlChannel, unknown>> = {}) =>
  ({ id, cluster: "plant-7", group: id, isUsable: true, ...changes }) as unknown as ControlChannel;
const anybody: ListenerCriteria = { allowed: undefined, disallowed: new Set<string>() };
const nobodyTried = new Set<ControlChannel>();

describe("the choice of a listener", () => {
  const registryOf = (...channels: ControlChannel[]) => {
    const registry = new ListenerRegistry();
    for (const each of channels) registry.add(each);
    return registry;
  };
  /** How often each is chosen of many times. */
  const tally = (registry: ListenerRegistry, criteria = anybody, tried = nobodyTried) => {
    const counts: Record<string, number> = {};
    for (let count = 0; count < 2_000; count += 1) {
      const id = registry.choose("plant-7", criteria, tried)?.id ?? "none";
      counts[id] = (counts[id] ?? 0) + 1;
    }
    return counts;
  };

  it("is random among those of the cluster", () => {
    const registry = registryOf(channel("a"), channel("b"), channel("x", { cluster: "other" }));
    const counts = tally(registry);
    expect(Object.keys(counts).sort()).toEqual(["a", "b"]);
    expect(counts["a"]).toBeGreaterThan(800);
    expect(counts["b"]).toBeGreaterThan(800);
  });

  it("counts one that has come many times over as one", () => {
    const herd = Array.from({ length: 20 }, (_, index) => channel(`h${index}`, { group: "herd" }));
    const counts = tally(registryOf(channel("alone"), ...herd));
    expect(counts["alone"]).toBeGreaterThan(800);
    expect(counts["alone"]).toBeLessThan(1_200);
  });

  it("passes over those that cannot be used, have been tried, or are gone", () => {
    const [stuck, tried, gone, good] = ["stuck", "tried", "gone", "good"].map((id) =>
      channel(id, { isUsable: id !== "stuck" }),
    ) as [ControlChannel, ControlChannel, ControlChannel, ControlChannel];
    const registry = registryOf(stuck, tried, gone, good);
    registry.remove(gone);
    expect(tally(registry, anybody, new Set([tried]))).toEqual({ good: 2_000 });
    expect([registry.count("plant-7"), registry.size]).toEqual([2, 3]);
  });

  it("is none where there is none", () => {
    expect(tally(registryOf())).toEqual({ none: 2_000 });
  });

  it("keeps to AllowedListeners and DisallowedListeners, whatever suffix the service gave to the ids", () => {
    const registry = registryOf(channel("AAA_G1"), channel("bbb_G0_G4"), channel("ccc"));
    const only = (header: string) => readCriteria({ "microsoft-relay-allowedlisteners": header });
    expect(Object.keys(tally(registry, only("aaa, CCC_G7"))).sort()).toEqual(["AAA_G1", "ccc"]);
    const not = readCriteria({ "microsoft-relay-disallowedlisteners": "AAA,ccc" });
    expect(tally(registry, not)).toEqual({ bbb_G0_G4: 2_000 });
    const both = readCriteria({
      "microsoft-relay-allowedlisteners": "aaa,bbb",
      "microsoft-relay-disallowedlisteners": "bbb",
    });
    expect(tally(registry, both)).toEqual({ AAA_G1: 2_000 });
    expect(tally(registry, only(""))).toEqual({ none: 2_000 });
  });

  it("is none that does not meet the criteria, though there are others", () => {
    const registry = registryOf(channel("a"));
    expect(tally(registry, readCriteria({ "microsoft-relay-allowedlisteners": "b" }))).toEqual({
      none: 2_000,
    });
  });

  it("gives up a place of the largest herd, never of the newcomer's own", () => {
    const herd = ["1", "2", "3"].map((id) => channel(id, { group: "herd" }));
    const pair = ["4", "5"].map((id) => channel(id, { group: "pair" }));
    const registry = registryOf(channel("a"), ...pair, ...herd);
    expect(registry.findDuplicate("plant-7", "newcomer")?.id).toBe("3");
    expect(registry.findDuplicate("plant-7", "herd")).toBeUndefined();
    expect(registryOf(channel("a"), channel("b")).findDuplicate("plant-7", "newcomer")).toBeUndefined();
  });
});
