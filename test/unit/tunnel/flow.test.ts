import { closeCodes } from "../../../src/protocol/codes";
import { HeldMemory } from "../../../src/tunnel/held-memory";
import {
  agentWithRawClient,
  clientWithRawAgent,
  credit,
  data,
  fin,
  join,
  open,
  Reader,
  reset,
  turns,
  until,
} from "./session-pair";

const initial = 131_072;

describe("credit", () => {
  it("stops the sender when it is used up, and lets it go on", async () => {
    const { client, peer } = clientWithRawAgent();
    const stream = client.open();
    stream.write(Buffer.alloc(initial + 10));
    await until(() => stream.sent === initial);
    await turns(5);
    expect(stream.sent).toBe(initial);
    peer.send(credit(1, 4));
    await until(() => stream.sent === initial + 4);
    await client.close("a test ended");
  });

  it("does not hold back the end of a stream that has nothing to send", async () => {
    const { client, peer } = clientWithRawAgent();
    const stream = client.open();
    stream.write(Buffer.alloc(initial));
    stream.finish();
    await until(() => peer.named("FIN").length === 1);
    await client.close("a test ended");
  });

  it("comes back once a good part of the window has been taken, not for every byte", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(open(1), data(1, Buffer.alloc(1_000)));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!);
    await until(() => reader.bytes === 1_000);
    await turns(5);
    expect(peer.named("CREDIT")).toEqual([]);
    peer.send(data(1, Buffer.alloc(40_000)));
    await until(() => peer.named("CREDIT").length === 1);
    expect(peer.named("CREDIT")[0]).toEqual(["CREDIT", 1, 41_000]);
    await agent.close("a test ended");
  });

  it("does not come back for what nobody has read", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    peer.send(open(1), data(1, Buffer.alloc(65_536)), data(1, Buffer.alloc(65_536)));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!, true);
    await turns(10);
    expect(peer.named("CREDIT")).toEqual([]);
    reader.goOn();
    await until(() => peer.named("CREDIT").length > 0);
    await agent.close("a test ended");
  });

  it("that was not granted ends the session when it is used", async () => {
    const { agent, peer } = agentWithRawClient();
    peer.send(open(1), data(1, Buffer.alloc(65_536)), data(1, Buffer.alloc(65_536)), data(1, "x"));
    await expect(agent.closed).resolves.toMatchObject({
      code: closeCodes.limitExceeded,
      reason: "DATA beyond credit",
    });
  });

  it("above the ceiling ends the session", async () => {
    const { client, peer } = clientWithRawAgent();
    client.open();
    await until(() => peer.frames.length === 1);
    peer.send(credit(1, 4 * 1024 * 1024 - initial));
    await turns(5);
    peer.send(credit(1, 1));
    await expect(client.closed).resolves.toMatchObject({ code: closeCodes.limitExceeded });
  });

  it("above the ceiling ends the session in one frame, too", async () => {
    const { client, peer } = clientWithRawAgent();
    client.open();
    await until(() => peer.frames.length === 1);
    peer.send(credit(1, 0xffff_ffff));
    await expect(client.closed).resolves.toMatchObject({ code: closeCodes.limitExceeded });
  });
});

describe("a slow reader", () => {
  it("slows its own stream only", async () => {
    const { client, accepted } = join();
    const slow = client.open();
    const fast = client.open();
    slow.write(Buffer.alloc(10_000_000));
    fast.write(Buffer.alloc(10_000_000));
    await until(() => accepted.length === 2);
    const stalled = new Reader(accepted[0]!, true);
    const reader = new Reader(accepted[1]!);
    await until(() => reader.bytes === 10_000_000);
    expect(slow.sent).toBeLessThanOrEqual(initial);
    expect(stalled.bytes).toBeLessThanOrEqual(65_536);
    stalled.goOn();
    await until(() => stalled.bytes === 10_000_000);
    await client.close("a test ended");
  });

  it("is felt by the writer, who is told when to go on", async () => {
    const { client, accepted } = join();
    const writer = new Reader(client.open());
    let written = 0;
    while (writer.stream.write(Buffer.alloc(10_000))) written += 1;
    expect(written).toBe(13);
    await until(() => accepted.length === 1);
    const stalled = new Reader(accepted[0]!, true);
    await turns(10);
    const drains = writer.drains;
    while (writer.stream.write(Buffer.alloc(10_000)));
    await turns(10);
    expect(writer.drains).toBe(drains);
    stalled.goOn();
    await until(() => writer.drains > drains);
    await client.close("a test ended");
  });
});

describe("held memory", () => {
  it("is given back by whatever ends a stream", async () => {
    const memory = new HeldMemory(100 * initial);
    const { agent, peer, accepted } = agentWithRawClient({ memory });
    peer.send(open(1), open(2), open(3), open(4), data(4, "unread"));
    await until(() => accepted.length === 4);
    expect(memory.used).toBe(4 * initial);
    peer.send(reset(1));
    accepted[1]!.reset("refused", "");
    accepted[2]!.finish();
    peer.send(fin(3));
    await turns(5);
    expect(memory.used).toBe(initial);
    // What has come and has not been read still counts after the end.
    accepted[3]!.finish();
    peer.send(fin(4));
    await turns(5);
    expect(memory.used).toBe("unread".length);
    new Reader(accepted[3]!);
    await turns(5);
    expect(memory.used).toBe(0);
    await agent.close("a test ended");
  });

  it("is given back when a reader gives up on a stream that is over", async () => {
    const memory = new HeldMemory(100 * initial);
    const { agent, peer, accepted } = agentWithRawClient({ memory });
    peer.send(open(1), data(1, "unread"), fin(1));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!, true);
    accepted[0]!.finish();
    await until(() => reader.isClosed);
    expect(memory.used).toBe("unread".length);
    accepted[0]!.reset("lost", "the socket broke");
    expect(memory.used).toBe(0);
    expect(peer.named("RESET")).toEqual([]);
    await agent.close("a test ended");
  });

  it("is given back when the session ends", async () => {
    const memory = new HeldMemory(100 * initial);
    const { agent, peer, accepted } = agentWithRawClient({ memory });
    peer.send(open(1), data(1, "unread"), open(2));
    await until(() => accepted.length === 2);
    peer.link.abort();
    await agent.closed;
    expect(memory.used).toBe(0);
  });

  it("of the process bounds all its sessions together", async () => {
    const memory = new HeldMemory(3 * initial);
    const one = agentWithRawClient({ memory });
    const other = agentWithRawClient({ memory });
    one.peer.send(open(1), open(2));
    await until(() => one.accepted.length === 2);
    other.peer.send(open(1), open(2));
    await until(() => other.peer.named("RESET").length === 1);
    expect(other.accepted).toHaveLength(1);
    await one.agent.close("a test ended");
    other.peer.send(open(3));
    await until(() => other.accepted.length === 2);
    await other.agent.close("a test ended");
  });

  it("costs what it counts, when a stalled stream is fed byte by byte", async () => {
    const { agent, peer, accepted } = agentWithRawClient();
    const filler = Buffer.concat([Buffer.from("80030000", "hex"), Buffer.alloc(4), Buffer.alloc(0x3_0000)]);
    peer.send(open(1));
    await until(() => accepted.length === 1);
    const reader = new Reader(accepted[0]!, true);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 400; count += 1) {
      peer.send(data(1, String(count % 10)), filler);
      await turns(1);
    }
    await turns(5);
    peer.messages.length = 0;
    // 400 messages of 192 KiB would be 75 MiB if their one byte kept them alive.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(75 * 1024 * 1024 * 0.9);
    reader.goOn();
    await until(() => reader.bytes === 400);
    expect(reader.all.toString()).toBe(Array.from({ length: 400 }, (_, i) => i % 10).join(""));
    expect(reader.chunks.length).toBeLessThan(5);
    await agent.close("a test ended");
  });
});
