import { closeCodes } from "../../../src/protocol/codes";
import { silentLogger } from "../../../src/runtime/logger";
import { openClientSession } from "../../../src/tunnel/session-client";
import { LossyTransport } from "../../support/lossy-transport";
import { MemoryTransport } from "../../support/memory-transport";
import {
  agentWithRawClient,
  clientWithRawAgent,
  cluster,
  data,
  join,
  open,
  RawPeer,
  Reader,
  turns,
} from "./session-pair";

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick", "performance"] });
});

afterEach(() => {
  jest.useRealTimers();
});

/** Lets time pass, second by second, with whatever it causes. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    jest.advanceTimersByTime(Math.min(1_000, ms - passed));
    await turns(3);
  }
}

describe("a session whose other end", () => {
  it("does not say HELLO within 10 s ends", async () => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const client = openClientSession(clientLink, { cluster, client: "c/1", logger: silentLogger });
    const peer = new RawPeer(agentLink);
    await pass(9_000);
    expect(peer.closes).toEqual([]);
    await pass(1_000);
    await expect(client.agentHello).rejects.toMatchObject({ code: "ERR_TUNNEL_HELLO_TIMEOUT" });
    expect(peer.closes).toEqual([[closeCodes.helloTimeout, "no HELLO in time"]]);
  });

  it("is silent is asked after 10 s, and given up after 15 s", async () => {
    const { client, peer, clientLink } = clientWithRawAgent();
    peer.answersPings = true;
    const reader = new Reader(client.open());
    await turns(100);
    peer.answersPings = false;
    const asked = peer.named("PING").length;
    await pass(9_000);
    expect(peer.named("PING")).toHaveLength(asked);
    await pass(1_000);
    expect(peer.named("PING")).toHaveLength(asked + 1);
    await pass(4_000);
    expect(reader.loss).toBeUndefined();
    await pass(1_000);
    await expect(client.closed).resolves.toMatchObject({
      code: closeCodes.peerSilent,
      error: "ERR_TUNNEL_PEER_SILENT",
      clean: false,
    });
    expect(reader.loss).toMatchObject({ code: "lost", local: true });
    // Aborted: a dead peer would not answer a close.
    expect(clientLink.closeCalls).toEqual([]);
  });

  it("vanishes without a word is noticed at both ends", async () => {
    const [clientLink, agentLink] = MemoryTransport.pair();
    const link = new LossyTransport(clientLink);
    const { client, agent } = join([link, agentLink]);
    await client.agentHello;
    link.fallSilent();
    await pass(16_000);
    await expect(client.closed).resolves.toMatchObject({ error: "ERR_TUNNEL_PEER_SILENT" });
    await expect(agent.closed).resolves.toMatchObject({ clean: false });
  });

  it("answers stays, however long nothing else happens", async () => {
    const { client, agent } = join();
    await client.agentHello;
    await pass(600_000);
    client.open();
    await turns(3);
    expect(agent.openStreams).toBe(1);
    const closing = client.close("a test ended");
    await closing;
  });

  it("sends bulk data needs no PONG to stay", async () => {
    const { agent, peer } = agentWithRawClient();
    peer.send(open(1));
    for (let second = 0; second < 60; second += 1) {
      peer.send(data(1, "x"));
      await pass(1_000);
    }
    expect(agent.openStreams).toBe(1);
    await agent.close("a test ended");
  });

  it("takes bulk data from here, but says nothing, is given up all the same", async () => {
    const { client, peer } = clientWithRawAgent();
    const stream = client.open();
    for (let second = 0; second < 16; second += 1) {
      stream.write(Buffer.alloc(1_000));
      await pass(1_000);
    }
    await expect(client.closed).resolves.toMatchObject({ error: "ERR_TUNNEL_PEER_SILENT" });
    expect(stream.sent).toBeGreaterThan(10_000);
    expect(peer.named("PING").length).toBeGreaterThan(0);
  });

  it("was quiet while this process did not run is not given up for that", async () => {
    const { client, agent } = join();
    await client.agentHello;
    // One tick that comes a minute late, as after a suspend: timers fire once, then what has come is read.
    jest.setSystemTime(Date.now() + 60_000);
    await pass(1_000);
    expect(client.openStreams).toBe(0);
    client.open();
    await turns(3);
    expect(agent.openStreams).toBe(1);
    await client.close("a test ended");
  });
});

describe("bounds in time", () => {
  it("can be set", async () => {
    const { client } = clientWithRawAgent({ limits: { pingAfterMs: 1_000, deadAfterMs: 2_000 } });
    await turns(5);
    jest.advanceTimersByTime(1_900);
    await turns(3);
    expect(client.openStreams).toBe(0);
    client.open();
    jest.advanceTimersByTime(100);
    await expect(client.closed).resolves.toMatchObject({ error: "ERR_TUNNEL_PEER_SILENT" });
  });

  it("leave no timer behind", async () => {
    const { client } = clientWithRawAgent();
    await client.close("a test ended");
    expect(jest.getTimerCount()).toBe(0);
  });
});
