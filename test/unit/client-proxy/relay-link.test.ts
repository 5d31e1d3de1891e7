import { explainRelayFailure } from "../../../src/client-proxy/relay-failure";
import { RelayLink, type RelayLinkOptions } from "../../../src/client-proxy/relay-link";
import { HandshakeRefused } from "../../../src/hybrid-connections/handshake-refused";
import { ClusterConnectError } from "../../../src/runtime/errors";
import { silentLogger } from "../../../src/runtime/logger";
import type { Transport } from "../../../src/tunnel/transport";
import { MemoryTransport } from "../../support/memory-transport";
import { cluster, identity, RawPeer, turns, until } from "../tunnel/session-pair";
import { ScriptedNetwork as Network, type Outcome } from "./scripted-network";

const attempt = { relayUrl: new URL("https://relay.test"), authorization: "" };
const unreachable: Outcome = () => new ClusterConnectError("ERR_RELAY_UNREACHABLE", "down");

describe("the link to the relay", () => {
  const links: RelayLink[] = [];
  // Memory links run on the event loop's turns, which stay real; only time is the test's.
  beforeEach(() => jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick", "queueMicrotask"] }));
  afterEach(async () => {
    for (const link of links.splice(0)) await link.stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  function create(network: Network, options: Partial<RelayLinkOptions> = {}) {
    const failures: string[] = [];
    const hellos: string[] = [];
    let lost = 0;
    const link = new RelayLink({
      cluster,
      client: "client/1",
      dial: network.dial,
      logger: silentLogger,
      onHello: ({ sessionId }) => void hellos.push(sessionId),
      onFailure: ({ code }) => void failures.push(code),
      onLost: () => void (lost += 1),
      ...options,
    });
    links.push(link);
    return { link, failures, hellos, lost: () => lost };
  }
  const pass = async (ms: number) => {
    await turns(20);
    await jest.advanceTimersByTimeAsync(ms);
    await turns(20);
  };

  it("says, before anything has happened, that the first connection is being made", () => {
    const { link } = create(new Network());
    expect(link.isConnected).toBe(false);
    expect(link.failure).toMatchObject({ code: "ERR_RELAY_UNREACHABLE" });
  });

  it("opens one session, and hands on the agent's HELLO", async () => {
    const network = new Network();
    const { link, hellos, failures } = create(network);
    link.start();
    link.start();
    await until(() => hellos.length === 1);
    expect(link.isConnected).toBe(true);
    await pass(60_000);
    expect(network.dialledAt).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it("lets streams be opened before the agent has said HELLO", async () => {
    const network = new Network();
    network.outcomes[0] = network.silent;
    const { link } = create(network);
    link.start();
    const session = await link.session(0);
    expect(session?.open().id).toBe(1);
  });

  it("dials again first after 20 to 100 ms, then twice as long each time, with jitter, up to 10 s", async () => {
    const network = new Network([unreachable]);
    const { link, failures } = create(network);
    link.start();
    await pass(120_000);
    const [first = 0, ...others] = network.pauses;
    expect(first).toBeGreaterThanOrEqual(20);
    expect(first).toBeLessThanOrEqual(101);
    others.forEach((pause, index) => {
      const base = Math.min(first * 2 ** (index + 1), 10_000);
      // Whole milliseconds: what was rounded in the first pause doubles with it.
      const rounding = 2 ** (index + 2);
      expect(pause).toBeGreaterThanOrEqual(base / 2 - rounding);
      expect(pause).toBeLessThanOrEqual(Math.min(base + rounding, 10_001));
    });
    expect(others.at(-1)).toBeGreaterThanOrEqual(5_000);
    expect(new Set(failures)).toEqual(new Set(["ERR_RELAY_UNREACHABLE"]));
    expect(link.failure.detail).toBe("down");
  });

  it("does not take an attempt that was long in failing for a connection that lasted", async () => {
    const slow = (): Promise<Transport> =>
      new Promise((_, reject) => {
        network.dialledAt.push(Date.now());
        setTimeout(() => reject(new ClusterConnectError("ERR_RELAY_UNREACHABLE")), 6_000);
      });
    const network = new Network();
    const { link } = create(network, { dial: slow });
    link.start();
    await pass(120_000);
    expect(network.pauses.at(-1)).toBeGreaterThan(9_000);
    links.splice(0);
    const stopped = link.stop();
    await pass(6_000);
    await stopped;
  });

  it("begins with the shortest pause again after a session that lasted", async () => {
    const network = new Network([unreachable, unreachable, unreachable, unreachable, unreachable]);
    network.outcomes.push(network.agent);
    const { link, hellos } = create(network);
    link.start();
    await pass(5_000);
    expect(hellos).toHaveLength(1);
    await pass(6_000);
    network.links[0]!.abort();
    await pass(101);
    expect(hellos).toHaveLength(2);
  });

  it("does not go on dialling fast while somebody waits, nor let him wait for the whole ladder", async () => {
    const network = new Network([unreachable]);
    const { link } = create(network);
    link.start();
    await pass(60_000);
    network.dialledAt.splice(0);
    const waiting = link.session(5_000);
    await pass(5_000);
    expect(await waiting).toBeUndefined();
    expect(network.dialledAt.length).toBeGreaterThan(15);
    expect(network.dialledAt.length).toBeLessThan(25);
    expect(Math.min(...network.pauses)).toBeGreaterThanOrEqual(250);
  });

  it("waits as long as the relay asks for, whoever waits for it", async () => {
    const refused = new HandshakeRefused(429, "Too Many Requests", { "retry-after": "30" });
    const network = new Network([() => explainRelayFailure(refused, attempt)]);
    const { link, failures } = create(network);
    link.start();
    const waiting = link.session(5_000);
    await pass(29_900);
    expect(await waiting).toBeUndefined();
    expect(network.dialledAt).toHaveLength(1);
    await pass(200);
    expect(network.dialledAt).toHaveLength(2);
    expect(failures).toEqual(["ERR_RELAY_BUSY", "ERR_RELAY_BUSY"]);
  });

  it("gives those who wait the session as soon as there is one, and never makes them wait longer than told", async () => {
    const network = new Network([unreachable]);
    const { link } = create(network);
    link.start();
    await pass(1_000);
    const waiting = link.session(5_000);
    await pass(0);
    const impatient = link.session(1);
    await pass(1);
    expect(await impatient).toBeUndefined();
    network.outcomes[0] = network.agent;
    await pass(1_000);
    expect(await waiting).toBeDefined();
    expect(await link.session(0)).toBe(await waiting);
  });

  it("counts a session that was lost, says so, and opens another", async () => {
    const network = new Network();
    const { link, hellos, failures, lost } = create(network);
    link.start();
    await until(() => hellos.length === 1);
    network.links[0]!.abort();
    await turns(20);
    expect(link.isConnected).toBe(false);
    expect(failures).toEqual(["ERR_TUNNEL_LOST"]);
    expect(lost()).toBe(1);
    await pass(101);
    expect(hellos).toEqual(["session-1", "session-2"]);
  });

  it("does not count a session that the agent ended in order", async () => {
    const network = new Network();
    const { link, hellos, failures, lost } = create(network);
    link.start();
    await until(() => hellos.length === 1);
    await network.agents[0]!.close("restart");
    await pass(101);
    expect(failures).toEqual(["ERR_TUNNEL_GOING_AWAY"]);
    expect(lost()).toBe(0);
    expect(hellos).toHaveLength(2);
  });

  it("opens the next session at once when an agent goes away, while the old one's streams go on", async () => {
    const network = new Network();
    const { link, hellos, failures } = create(network);
    link.start();
    await until(() => hellos.length === 1);
    const old = await link.session(0);
    const stream = old!.open();
    stream.write(Buffer.from("x"));
    await pass(2_000);
    network.agents[0]!.goAway("shuttingDown", "restart");
    await turns(50);
    expect(hellos).toHaveLength(2);
    const next = await link.session(0);
    expect(next).not.toBe(old);
    expect(old!.openStreams).toBe(1);
    expect(failures).toEqual([]);
    await network.agents[0]!.close("over");
  });

  it("dials with pauses all the same when one agent after the other goes away at once", async () => {
    const network = new Network();
    network.outcomes[0] = () => {
      const near = network.agent();
      network.agents.at(-1)!.goAway("shuttingDown", "not today");
      return near;
    };
    const { link } = create(network);
    link.start();
    await pass(10_000);
    expect(network.dialledAt.length).toBeLessThan(12);
  });

  it("ends a session whose HELLO is refused, and says why", async () => {
    const network = new Network();
    const { link, failures, lost } = create(network, {
      onHello: () => {
        throw new ClusterConnectError("ERR_CLUSTER_CA_MISMATCH", "other");
      },
    });
    link.start();
    await pass(101);
    expect(link.isConnected).toBe(false);
    expect(failures.slice(0, 2)).toEqual(["ERR_CLUSTER_CA_MISMATCH", "ERR_CLUSTER_CA_MISMATCH"]);
    expect(link.failure.detail).toBe("other");
    expect(lost()).toBe(0);
    expect((await network.agents[0]!.closed).clean).toBe(true);
  });

  it.each([
    ["of another cluster", { ...identity, version: 1, cluster: "plant-8" }, "ERR_TUNNEL_WRONG_CLUSTER"],
    ["of another version", { ...identity, version: 9 }, "ERR_TUNNEL_VERSION"],
    ["that is none", { hello: "there" }, "ERR_TUNNEL_PROTOCOL"],
  ])("tells a HELLO %s by that alone, each time", async (_, hello, code) => {
    const network = new Network();
    network.outcomes[0] = network.saying(hello);
    const { link, failures, lost } = create(network);
    link.start();
    await pass(500);
    expect(failures.length).toBeGreaterThan(1);
    expect(new Set(failures)).toEqual(new Set([code]));
    expect(lost()).toBe(0);
  });

  it("has nothing to say of failures any more once a session is there", async () => {
    const network = new Network([unreachable]);
    const { link, hellos } = create(network);
    network.outcomes.push(network.agent);
    link.start();
    await pass(101);
    expect(hellos).toHaveLength(1);
    expect(link.failure.detail).not.toBe("down");
  });

  describe("when it stops", () => {
    it("closes its sessions in order, and dials no more", async () => {
      const network = new Network();
      const { link, hellos, failures } = create(network);
      link.start();
      await until(() => hellos.length === 1);
      await link.stop();
      expect(await network.agents[0]!.closed).toMatchObject({ clean: true });
      await pass(60_000);
      expect(network.dialledAt).toHaveLength(1);
      expect(failures).toEqual([]);
      expect(await link.session(5_000)).toBeUndefined();
    });

    it("gives up an attempt that is under way, without a failure to tell", async () => {
      const network = new Network();
      const { link, failures } = create(network, {
        dial: (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          }),
      });
      link.start();
      const waiting = link.session(60_000);
      await link.stop();
      expect(await waiting).toBeUndefined();
      expect(failures).toEqual([]);
    });

    it("drops a link that comes too late", async () => {
      const [near, far] = MemoryTransport.pair();
      const peer = new RawPeer(far);
      let arrive: (link: Transport) => void = () => undefined;
      const { link } = create(new Network(), {
        dial: () => new Promise((resolve) => (arrive = resolve)),
      });
      link.start();
      const stopped = link.stop();
      arrive(near);
      await stopped;
      await until(() => peer.closes.length > 0);
      expect(peer.closes).toEqual([[1006, ""]]);
    });
  });
});
