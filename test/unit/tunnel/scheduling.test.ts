import { clientWithRawAgent, credit, Reader, turns, until } from "./session-pair";

const dataOf = (frames: unknown[][]) => frames.filter(([name]) => name === "DATA");

describe("what goes into the link", () => {
  it("is shared fairly between streams with data, 64 KiB a turn", async () => {
    const { client, peer } = clientWithRawAgent();
    await client.agentHello;
    const streams = [client.open(), client.open(), client.open()];
    streams[0]!.write(Buffer.alloc(131_072, "a"));
    streams[1]!.write(Buffer.alloc(131_072, "b"));
    streams[2]!.write(Buffer.alloc(10, "c"));
    await until(() => streams.every(({ sent }, index) => sent === [131_072, 131_072, 10][index]));
    await turns(5);
    const turnsTaken = dataOf(peer.frames).map(([, stream, payload]) => [stream, (payload as string).length]);
    expect(turnsTaken).toEqual([
      [1, 65_536],
      [2, 65_536],
      [3, 10],
      [1, 65_536],
      [2, 65_536],
    ]);
    await client.close("a test ended");
  });

  it("joins small writes of a stream into one frame", async () => {
    const { client, peer } = clientWithRawAgent();
    const stream = client.open();
    for (const text of ["one", "two", "three"]) stream.write(Buffer.from(text));
    await until(() => stream.sent === 11);
    await turns(2);
    expect(dataOf(peer.frames)).toEqual([["DATA", 1, "onetwothree"]]);
    await client.close("a test ended");
  });

  it("joins the frames of one turn of the event loop into messages", async () => {
    const { client, peer } = clientWithRawAgent();
    await until(() => peer.messages.length > 0);
    await turns(30);
    const before = peer.messages.length;
    for (let count = 0; count < 100; count += 1) client.open().write(Buffer.alloc(100));
    await until(() => dataOf(peer.frames).length === 100);
    expect(peer.messages.length - before).toBe(1);
    await client.close("a test ended");
  });

  it("never makes a message above 256 KiB", async () => {
    const { client, peer } = clientWithRawAgent();
    const streams = Array.from({ length: 20 }, () => client.open());
    for (const stream of streams) stream.write(Buffer.alloc(100_000));
    await until(() => streams.every(({ sent }) => sent === 100_000));
    await turns(5);
    expect(Math.max(...peer.messages.map((message) => message.length))).toBeLessThanOrEqual(262_144);
    await client.close("a test ended");
  });

  it("leaves data in its stream while 128 KiB wait in the link", async () => {
    const { client, peer, clientLink } = clientWithRawAgent();
    await client.agentHello;
    await turns(30);
    peer.link.pause();
    const streams = Array.from({ length: 10 }, () => client.open());
    for (const stream of streams) stream.write(Buffer.alloc(131_072));
    await turns(10);
    expect(clientLink.bufferedBytes).toBeGreaterThanOrEqual(131_072);
    expect(clientLink.bufferedBytes).toBeLessThan(131_072 + 65_536 + 1_000);
    peer.link.resume();
    await until(() => streams.every(({ sent }) => sent === 131_072));
    await client.close("a test ended");
  });

  it("puts OPEN, RESET and CREDIT ahead of data that waits", async () => {
    const { client, peer } = clientWithRawAgent();
    await client.agentHello;
    await turns(30);
    const reader = new Reader(client.open());
    const bulk = client.open();
    await turns(3);
    peer.link.pause();
    peer.send(Buffer.concat([Buffer.from("1101000000000001", "hex"), Buffer.alloc(65_536)]));
    bulk.write(Buffer.alloc(131_072));
    const more = client.open();
    more.write(Buffer.alloc(131_072));
    await until(() => reader.bytes === 65_536);
    const last = client.open();
    last.reset("cancelled", "changed my mind");
    await turns(5);
    peer.link.resume();
    await until(() => bulk.sent === 131_072 && more.sent === 131_072);
    await turns(5);
    const names = peer.frames.map(([name, stream]) => `${String(name)} ${String(stream)}`);
    const lastData = names.lastIndexOf("DATA 3");
    for (const ahead of ["OPEN 4", "RESET 4", "CREDIT 1"])
      expect(names.indexOf(ahead)).toBeLessThan(lastData);
    expect(names.indexOf("OPEN 3")).toBeLessThan(names.indexOf("DATA 3"));
    await client.close("a test ended");
  });

  it("does not hold data of a stream that was reset", async () => {
    const { client, peer } = clientWithRawAgent();
    await client.agentHello;
    const stream = client.open();
    stream.write(Buffer.alloc(300_000));
    await until(() => stream.sent === 131_072);
    stream.reset("cancelled", "");
    peer.send(credit(1, 1_000_000));
    await turns(10);
    expect(stream.sent).toBe(131_072);
    expect(peer.frames.at(-1)).toEqual(["RESET", 1, 6, ""]);
    await client.close("a test ended");
  });
});
