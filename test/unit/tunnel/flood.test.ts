import { agentWithRawClient, open, ping, Reader, reset, turns, until } from "./session-pair";

describe("a flood", () => {
  it("of PINGs is read no faster than its answers can be sent", async () => {
    const { agent, peer, agentLink } = agentWithRawClient();
    await turns(30);
    peer.link.pause();
    const message = Buffer.concat(Array.from({ length: 16_384 }, () => ping("12345678")));
    for (let count = 0; count < 20; count += 1) peer.link.send([message]);
    await turns(50);
    expect(agentLink.isPaused).toBe(true);
    // Two messages' answers at most, of the twenty that wait.
    expect(agentLink.bufferedBytes).toBeLessThanOrEqual(2 * 262_144 + 65_536);
    peer.link.resume();
    await until(() => peer.named("PONG").length === 20 * 16_384);
    expect(agentLink.isPaused).toBe(false);
    await agent.close("a test ended");
  });

  it("of OPENs is answered without a byte more than it has, and leaves the agent's streams alone", async () => {
    const { agent, peer, accepted, agentLink } = agentWithRawClient({ limits: { streams: 4 } });
    await turns(30);
    peer.link.pause();
    for (let batch = 0; batch < 3; batch += 1) {
      peer.send(...Array.from({ length: 16_000 }, (_, index) => open(batch * 16_000 + index + 1)));
      await turns(3);
    }
    expect(accepted).toHaveLength(4);
    expect(agentLink.bufferedBytes).toBeLessThanOrEqual(48_000 * 12 + 65_536);
    peer.link.resume();
    await until(() => peer.named("RESET").length === 47_996);
    await agent.close("a test ended");
  });

  it("of OPENs that never sees our answers ends the session at a bound", async () => {
    const { agent, peer, agentLink } = agentWithRawClient({
      limits: { streams: 1, unsentControlBytes: 1e9 },
    });
    await turns(30);
    for (let id = 1; id < 70_000; id += 10_000) {
      peer.send(...Array.from({ length: 10_000 }, (_, index) => open(id + index)));
    }
    await until(() => agentLink.closeCalls.length > 0);
    await expect(agent.closed).resolves.toMatchObject({ error: "ERR_TUNNEL_PROTOCOL" });
  });

  it("of streams opened and dropped reaches the target a bounded number of times a second", async () => {
    const { agent, peer, accepted } = agentWithRawClient({ limits: { streams: 8 } });
    const frames = Array.from({ length: 5_000 }, (_, index) => [open(index + 1), reset(index + 1)]).flat();
    peer.send(...frames);
    await turns(20);
    expect(accepted).toHaveLength(8);
    await agent.close("a test ended");
  });

  it("of short connections that were answered is no flood", async () => {
    const { agent, peer, accepted } = agentWithRawClient({ limits: { streams: 2 } });
    for (let id = 1; id <= 50; id += 1) {
      peer.send(open(id));
      await until(() => accepted.length === id);
      accepted[id - 1]!.write(Buffer.from("answer"));
      await turns(2);
      peer.send(reset(id));
    }
    await agent.close("a test ended");
  });

  it("of resets leaves nothing behind", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    for (let id = 1; id <= 300; id += 1) peer.send(open(id), reset(id));
    await until(() => accepted.length === 300);
    await turns(5);
    const readers = accepted.map((stream) => new Reader(stream));
    await until(() => readers.every(({ loss }) => loss?.code === "lost" && !loss.local));
    expect(agent.openStreams).toBe(0);
    await agent.close("a test ended");
  });
});
