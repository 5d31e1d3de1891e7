import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import type { TunnelStream } from "../../../src/tunnel/stream";
import { splice, type SpliceEnd, type SpliceOptions } from "../../../src/tunnel/splice";
import { Outside } from "./outside";
import { join, Reader, turns, until, type Ends } from "./session-pair";

describe.each(["TCP", "unix"])("splicing a %s socket", (kind) => {
  const folder = mkdtempSync(joinPath(tmpdir(), "splice-"));
  let server: Server;
  let ends: Ends;
  let outside: Outside;
  let inside: Socket;
  let here: TunnelStream;
  let there: Reader;
  let ended: Promise<SpliceEnd>;

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(kind === "TCP" ? { port: 0, host: "127.0.0.1" } : { path: joinPath(folder, "socket") });
    await once(server, "listening");
    const address =
      kind === "TCP"
        ? { port: (server.address() as AddressInfo).port, host: "127.0.0.1" }
        : { path: joinPath(folder, "socket") };
    outside = new Outside(connect({ ...address, allowHalfOpen: true }));
    [inside] = (await once(server, "connection")) as [Socket];
    ends = join();
  });

  afterEach(async () => {
    await ends.client.close("a test ended");
    outside.socket.destroy();
    inside.destroy();
    server.close();
    await once(server, "close");
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function start(options: SpliceOptions = {}, isStalled = false): Promise<void> {
    const before = ends.accepted.length;
    here = ends.client.open();
    ended = splice(inside, here, options);
    await until(() => ends.accepted.length > before);
    there = new Reader(ends.accepted.at(-1)!, isStalled);
  }

  it("carries bytes both ways, and each end by itself", async () => {
    await start();
    outside.socket.end("question");
    await until(() => there.hasFinished);
    expect(there.all.toString()).toBe("question");
    expect(outside.events).toEqual([]);
    there.stream.write(Buffer.from("answer"));
    there.stream.finish();
    await expect(ended).resolves.toEqual({
      outcome: "ended",
      afterEnd: false,
      bytesFromSocket: 8,
      bytesToSocket: 6,
    });
    await until(() => outside.events.includes("close"));
    expect(outside.text).toBe("answer");
    expect(outside.events).toEqual(["end", "close"]);
  });

  it("lets the far end end first", async () => {
    await start();
    there.stream.write(Buffer.from("greeting"));
    there.stream.finish();
    await until(() => outside.events.includes("end"));
    outside.socket.write("still ");
    await turns(3);
    outside.socket.end("here");
    await expect(ended).resolves.toMatchObject({ outcome: "ended", bytesFromSocket: 10 });
    expect(there.all.toString()).toBe("still here");
  });

  it("carries much, both ways at once, without a byte changed", async () => {
    await start();
    const big = Buffer.from(
      Array.from({ length: 3_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff),
    );
    outside.socket.end(big);
    there.stream.write(big);
    there.stream.finish();
    await expect(ended).resolves.toMatchObject({ outcome: "ended" });
    await until(() => outside.events.includes("end") && there.hasFinished);
    expect(there.all.equals(big)).toBe(true);
    expect(Buffer.concat(outside.chunks).equals(big)).toBe(true);
  });

  it("stops reading a socket whose bytes nobody takes at the far end", async () => {
    await start({}, true);
    const block = Buffer.alloc(1_000_000);
    for (let count = 0; count < 30; count += 1) outside.socket.write(block);
    await until(() => inside.isPaused());
    await turns(50);
    // Initial credit, the stream's queue, and what was read before the socket was paused.
    expect(inside.bytesRead).toBeLessThan(1_000_000);
    there.goOn();
    outside.socket.end();
    await until(() => there.hasFinished);
    expect(there.bytes).toBe(30_000_000);
    there.stream.finish();
    await ended;
  });

  it("gives no credit for what its socket has not taken", async () => {
    await start();
    outside.socket.pause();
    there.stream.write(Buffer.alloc(40_000_000));
    let before = -1;
    while (before !== there.stream.sent) {
      before = there.stream.sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(there.stream.sent).toBeLessThan(30_000_000);
    expect(inside.writableLength).toBeLessThanOrEqual(65_536);
    outside.socket.resume();
    there.stream.finish();
    outside.socket.end();
    await expect(ended).resolves.toMatchObject({ outcome: "ended", bytesToSocket: 40_000_000 });
  });

  const sawLoss = () =>
    kind === "TCP" ? outside.events.includes("ECONNRESET") : outside.events.includes("end");

  it("shows a reset by the far end as a loss, never as an end", async () => {
    await start();
    there.stream.reset("targetUnreachable", "no route");
    await expect(ended).resolves.toMatchObject({
      outcome: "lost",
      lostSide: "stream",
      code: "targetUnreachable",
      reason: "no route",
      afterEnd: false,
    });
    await until(sawLoss);
    if (kind === "TCP") expect(outside.events).not.toContain("end");
  });

  it("shows the loss of the session as a loss, also when one direction had ended", async () => {
    await start();
    outside.socket.end("done with this");
    await until(() => there.hasFinished);
    await ends.agent.close("killed");
    await expect(ended).resolves.toMatchObject({ outcome: "lost", code: "lost", afterEnd: true });
    await until(sawLoss);
    if (kind === "TCP") expect(outside.events).not.toContain("end");
  });

  it("closes the socket for good when the far end ends and breaks in one breath", async () => {
    await start();
    there.stream.finish();
    there.stream.reset("lost", "broke");
    await expect(ended).resolves.toMatchObject({ outcome: "lost" });
    await until(() => inside.destroyed);
    // A leaked socket would take this without a word.
    outside.socket.write("is anybody there?");
    await until(() => outside.events.includes("close") || outside.events.length > 0);
  });

  it("resets the stream when its socket breaks", async () => {
    await start();
    outside.socket.write("half a");
    await until(() => there.bytes > 0);
    if (kind === "TCP") outside.socket.resetAndDestroy();
    else {
      inside.destroy(new Error("broke"));
    }
    await expect(ended).resolves.toMatchObject({ outcome: "lost", lostSide: "socket" });
    await until(() => there.loss !== undefined);
    expect(there.loss).toMatchObject({ code: "lost", local: false });
    expect(there.hasFinished).toBe(false);
  });

  it("does not take data with a reset behind it for an end", async () => {
    if (kind !== "TCP") return;
    await start();
    inside.pause();
    outside.socket.write("the last words");
    outside.socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside.resume();
    await expect(ended).resolves.toMatchObject({ outcome: "lost", lostSide: "socket", afterEnd: false });
    await until(() => there.loss !== undefined);
    expect(there.hasFinished).toBe(false);
  });

  it("sends first what was read before", async () => {
    await start({ firstBytes: [Buffer.from("one "), Buffer.from("two ")] });
    outside.socket.end("three");
    await until(() => there.hasFinished);
    expect(there.all.toString()).toBe("one two three");
    there.stream.finish();
    await expect(ended).resolves.toMatchObject({ outcome: "ended", bytesFromSocket: 13 });
  });

  it("takes over a socket that has ended already", async () => {
    inside.resume();
    outside.socket.end();
    await once(inside, "end");
    await start();
    await until(() => there.hasFinished);
    there.stream.finish();
    await expect(ended).resolves.toMatchObject({ outcome: "ended" });
  });

  it("takes over a socket that is gone already", async () => {
    inside.destroy();
    await start();
    await expect(ended).resolves.toMatchObject({ outcome: "lost", lostSide: "socket" });
    await until(() => there.loss !== undefined);
  });

  describe("while first bytes are kept", () => {
    it("gives socket and bytes back when nobody answered, so that another stream can take them", async () => {
      await start({ keepFirstBytes: true });
      outside.socket.write("hello");
      await until(() => there.bytes === 5);
      there.stream.reset("targetUnreachable", "not there");
      const end = await ended;
      expect(end).toMatchObject({ outcome: "unanswered", code: "targetUnreachable", bytesFromSocket: 5 });
      expect(inside.isPaused()).toBe(true);
      expect(inside.listenerCount("data")).toBe(0);
      outside.socket.write(", again");
      await start({ firstBytes: end.firstBytes!, keepFirstBytes: true });
      await until(() => there.bytes === 12);
      expect(there.all.toString()).toBe("hello, again");
      there.stream.write(Buffer.from("at last"));
      there.stream.finish();
      outside.socket.end();
      await expect(ended).resolves.toMatchObject({ outcome: "ended" });
      expect(outside.text).toBe("at last");
    });

    it("gives them back when the session is lost", async () => {
      await start({ keepFirstBytes: true });
      outside.socket.write("hello");
      await until(() => there.bytes === 5);
      await ends.agent.close("killed");
      const end = await ended;
      expect(end).toMatchObject({ outcome: "unanswered", code: "lost" });
      inside.unshift(Buffer.concat(end.firstBytes!));
      inside.on("data", (chunk: Buffer) => inside.end(`got ${chunk.toString()}`));
      inside.resume();
      await until(() => outside.text === "got hello");
    });

    it("resets the socket as ever once the far end has said something", async () => {
      await start({ keepFirstBytes: true });
      there.stream.write(Buffer.from("x"));
      await until(() => outside.text === "x");
      there.stream.reset("lost", "broke");
      await expect(ended).resolves.toMatchObject({ outcome: "lost", lostSide: "stream" });
      await until(sawLoss);
    });

    it("reads no more than 64 KiB and a chunk until then", async () => {
      await start({ keepFirstBytes: true });
      outside.socket.write(Buffer.alloc(5_000_000));
      await until(() => inside.isPaused());
      await turns(20);
      expect(inside.bytesRead).toBeLessThanOrEqual(131_072);
      there.stream.write(Buffer.from("go on"));
      outside.socket.end();
      await until(() => there.hasFinished);
      expect(there.bytes).toBe(5_000_000);
      there.stream.finish();
      await ended;
    });

    it("has nothing to give back when the socket broke first", async () => {
      await start({ keepFirstBytes: true });
      inside.destroy(new Error("broke"));
      await expect(ended).resolves.toMatchObject({ outcome: "lost", lostSide: "socket" });
    });
  });
});
