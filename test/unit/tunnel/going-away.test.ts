import { agentWithRawClient, join, open, Reader, until } from "./session-pair";

describe("going away", () => {
  it("stops new streams at the client, lets open ones go on, and ends after the last", async () => {
    const { client, agent, accepted } = join();
    const here = new Reader(client.open());
    await until(() => accepted.length === 1);
    const there = new Reader(accepted[0]!);
    agent.goAway("shuttingDown", "rolling restart");
    await client.goingAway;
    expect(() => client.open()).toThrow(expect.objectContaining({ code: "ERR_TUNNEL_GOING_AWAY" }));
    here.stream.write(Buffer.from("still here"));
    here.stream.finish();
    await until(() => there.hasFinished);
    expect(there.all.toString()).toBe("still here");
    there.stream.finish();
    await agent.drained;
    await expect(client.closed).resolves.toMatchObject({ clean: true, reason: "drained" });
    expect(here.isClosed && there.isClosed).toBe(true);
  });

  it("ends a session without streams at once", async () => {
    const { client, agent } = join();
    await client.agentHello;
    agent.goAway("shuttingDown", "");
    agent.goAway("shuttingDown", "");
    await agent.drained;
    await expect(client.closed).resolves.toMatchObject({ clean: true });
  });

  it("resets a stream that was under way as goingAway, so that it can be opened elsewhere", async () => {
    const { client, agent, accepted } = join();
    await client.agentHello;
    const held = new Reader(client.open());
    await until(() => accepted.length === 1);
    agent.goAway("shuttingDown", "");
    const late = new Reader(client.open());
    await until(() => late.loss !== undefined);
    expect(late.loss).toMatchObject({ code: "goingAway", local: false });
    expect(accepted).toHaveLength(1);
    held.stream.reset("cancelled", "");
    await agent.drained;
  });

  it("is nothing that an agent has to answer", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(Buffer.from("040000040000000000000001", "hex"), open(1));
    await until(() => accepted.length === 1);
    await agent.close("a test ended");
  });
});
