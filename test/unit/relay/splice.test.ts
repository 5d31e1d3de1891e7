import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Splice, type SpliceEnd, type SpliceOptions } from "../../../src/relay/splice/splice";
import { eventually } from "../../support/eventually";
import { closePayload, maskedFrame, RawWebSocket } from "../../support/raw-websocket";

const generous: SpliceOptions = { closeTimeoutMs: 10_000, pingEveryMs: 60_000, maxHeldBytes: 262_144 };

interface Joined {
  readonly sender: RawWebSocket;
  readonly listener: RawWebSocket;
  readonly splice: Splice;
  /** The relay's ends. */
  readonly near: { readonly sender: Socket; readonly listener: Socket };
}

describe("a splice", () => {
  let server: Server;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));
  afterAll(() => server.close());

  /** A client that has had its 101, and the relay's end of its connection. */
  async function createLeg(): Promise<{ raw: RawWebSocket; near: Socket }> {
    const { port } = server.address() as AddressInfo;
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const [near] = (await once(server, "connection")) as [Socket];
    sockets.push(
      far,
      near.on("error", () => undefined),
    );
    const raw = new RawWebSocket(far, new URL("ws://x/"), {});
    await once(near, "data");
    near.pause().write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    await raw.answer;
    return { raw, near };
  }

  async function join(options: Partial<SpliceOptions> = {}): Promise<Joined> {
    const [sender, listener] = [await createLeg(), await createLeg()];
    const splice = new Splice(sender.near, listener.near, { ...generous, ...options });
    splice.start(Buffer.alloc(0), Buffer.alloc(0));
    return {
      sender: sender.raw,
      listener: listener.raw,
      splice,
      near: { sender: sender.near, listener: listener.near },
    };
  }

  it("passes messages on both ways, unmasked, with their opcodes and boundaries", async () => {
    const { sender, listener } = await join();
    sender.send(2, "binary", { mask: "a1b2c3d4" });
    sender.send(1, "te", { fin: false, mask: "01020304" });
    sender.send(0, "xt");
    listener.send(2, Buffer.alloc(70_000, 7), { mask: "ffffffff" });
    const frames = [await listener.next(), await listener.next(), await listener.next()];
    expect(frames).toMatchObject([
      { fin: true, opcode: 2, isMasked: false, payload: Buffer.from("binary") },
      { fin: false, opcode: 1, payload: Buffer.from("te") },
      { fin: true, opcode: 0, payload: Buffer.from("xt") },
    ]);
    expect(await sender.next()).toMatchObject({ opcode: 2, payload: Buffer.alloc(70_000, 7) });
  });

  it("passes on what came behind the handshakes, before anything else", async () => {
    const [sender, listener] = [await createLeg(), await createLeg()];
    const splice = new Splice(sender.near, listener.near, generous);
    splice.start(maskedFrame(2, "early"), maskedFrame(2, "hello"));
    sender.raw.send(2, "late");
    expect([await listener.raw.read(), await listener.raw.read()]).toEqual(["2:early", "2:late"]);
    expect(await sender.raw.read()).toBe("2:hello");
  });

  it("passes a frame on piece by piece, before it is whole", async () => {
    const { sender, listener } = await join();
    const frame = maskedFrame(2, Buffer.alloc(1_000, 1));
    sender.socket.write(frame.subarray(0, 508));
    await eventually(() => listener.receivedBytes >= 4 + 500);
    sender.socket.write(frame.subarray(508));
    expect(await listener.next()).toMatchObject({ payload: Buffer.alloc(1_000, 1) });
  });

  it("sends the small frames of one chunk on in one piece", async () => {
    const { sender, listener } = await join();
    const chunks: number[] = [];
    listener.socket.on("data", (chunk: Buffer) => chunks.push(chunk.length));
    sender.socket.write(Buffer.concat(Array.from({ length: 50 }, () => maskedFrame(2, "small"))));
    await eventually(() => listener.receivedBytes >= 50 * 7);
    expect(chunks).toEqual([350]);
  });

  it("passes foreign pings and pongs on", async () => {
    const { sender, listener } = await join();
    sender.send(9, "anyone?");
    expect(await listener.read()).toBe("9:anyone?");
    listener.send(10, "anyone?");
    expect(await sender.read()).toBe("10:anyone?");
  });

  describe("at a close", () => {
    it("passes code and reason on and lets the other direction go on until it closes too", async () => {
      const { sender, listener, splice } = await join();
      sender.close(1000, "done");
      expect(await listener.read()).toBe("close:1000:done");
      listener.send(2, "still talking");
      expect(await sender.read()).toBe("2:still talking");
      listener.close(1000, "me too");
      expect(await sender.read()).toBe("close:1000:me too");
      expect(await splice.ended).toMatchObject({ clean: true });
      expect([await sender.read(), await listener.read()]).toEqual(["ended", "ended"]);
    });

    it("passes an empty Close on as it is", async () => {
      const { sender, listener } = await join();
      sender.send(8, "");
      expect(await listener.read()).toBe("close");
    });

    it("lets a client end its connection behind its Close and still hear the answer", async () => {
      const { sender, listener, splice } = await join();
      sender.close(1000);
      sender.socket.end();
      expect(await listener.read()).toBe("close:1000:");
      listener.send(2, "last words");
      listener.close(1000);
      expect([await sender.read(), await sender.read()]).toEqual(["2:last words", "close:1000:"]);
      expect((await splice.ended).clean).toBe(true);
    });

    it("ignores what an end sends behind its own Close", async () => {
      const { sender, listener } = await join();
      sender.socket.write(Buffer.concat([maskedFrame(8, closePayload(1000)), maskedFrame(2, "more")]));
      expect(await listener.read()).toBe("close:1000:");
      listener.close(1000);
      expect([await sender.read(), await listener.read()]).toEqual(["close:1000:", "ended"]);
    });

    it("tells the end that closed of a loss when the other does not close within the time", async () => {
      const { sender, listener, splice } = await join({ closeTimeoutMs: 50 });
      sender.close(1000);
      expect(await sender.read()).toMatch(/^close:1011:/);
      expect(await splice.ended).toMatchObject({ clean: false });
      expect(await listener.read()).toBe("close:1000:");
    });

    it("cuts the other end when it goes on sending to one that has closed and left", async () => {
      const { sender, listener, splice } = await join();
      sender.close(1000);
      expect(await listener.read()).toBe("close:1000:");
      sender.socket.resetAndDestroy();
      const talking = setInterval(() => listener.send(2, "is anyone there?"), 5);
      expect(await splice.ended).toMatchObject({ clean: false });
      clearInterval(talking);
      expect(["ended", "reset"]).toContain(await listener.read());
    });
  });

  describe("at a loss", () => {
    it.each(["destroyed", "reset", "ended without a close"])(
      "tells the listener 1001 when the sender's connection is %s",
      async (how) => {
        const { sender, listener, splice } = await join();
        if (how === "destroyed") sender.socket.destroy();
        else if (how === "reset") sender.socket.resetAndDestroy();
        else sender.socket.end();
        expect(await listener.read()).toMatch(/^close:1001:/);
        expect((await splice.ended).clean).toBe(false);
      },
    );

    it("tells the sender 1011 when the listener's connection is lost", async () => {
      const { sender, listener } = await join();
      listener.socket.destroy();
      expect(await sender.read()).toMatch(/^close:1011:/);
    });

    it("cuts an end that is in the middle of a frame, where a Close would be read as payload", async () => {
      const { sender, listener } = await join();
      listener.socket.write(maskedFrame(2, Buffer.alloc(1_000)).subarray(0, 500));
      await eventually(() => sender.receivedBytes > 400);
      listener.socket.destroy();
      expect(["ended", "reset"]).toContain(await sender.read());
    });

    it("tells both ends when the relay itself closes", async () => {
      const { sender, listener, splice } = await join();
      splice.close(1001, "shutting down");
      expect(await sender.read()).toBe("close:1001:shutting down");
      expect(await listener.read()).toBe("close:1001:shutting down");
      expect(await splice.ended).toMatchObject({ clean: false, reason: "shutting down" });
    });

    it("tells the end that breaks the protocol 1002, after all that was good, and the other that it is lost", async () => {
      const { sender, listener } = await join();
      sender.socket.write(Buffer.concat([maskedFrame(2, "good"), Buffer.from("820101", "hex")]));
      expect([await listener.read(), await listener.read()]).toEqual([
        "2:good",
        expect.stringMatching(/^close:1001:/),
      ]);
      expect(await sender.read()).toMatch(/^close:1002:sender: a client's frame is not masked/);
    });
  });

  describe("between slow ends", () => {
    /** Sends 1 MiB frames from one end for as long as they are taken; resolves with what was taken. */
    async function flood(from: RawWebSocket, near: Socket): Promise<void> {
      const frame = maskedFrame(2, Buffer.alloc(1_048_576));
      for (let sent = 0; sent < 40; sent += 1) from.socket.write(frame);
      await eventually(() => near.isPaused());
    }

    it.each(["sender", "listener"] as const)(
      "holds no more than a MiB for a %s that does not read, and loses nothing of it",
      async (slow) => {
        const joined = await join();
        const fast = slow === "sender" ? joined.listener : joined.sender;
        const nearFast = slow === "sender" ? joined.near.listener : joined.near.sender;
        joined[slow].socket.pause();
        await flood(fast, nearFast);
        const held = () =>
          joined.splice.heldBytes + nearFast.readableLength + joined.near[slow].writableLength;
        expect(held()).toBeLessThan(1_048_576);
        expect(fast.socket.writableLength).toBeGreaterThan(10_000_000);
        joined[slow].socket.resume();
        for (let frames = 0; frames < 40; frames += 1) {
          expect(await joined[slow].next()).toMatchObject({ payload: { length: 1_048_576 } });
        }
        expect(joined.splice.heldBytes).toBe(0);
      },
    );

    it("passes the other direction on while one is held up", async () => {
      const { sender, listener, near } = await join();
      sender.socket.pause();
      await flood(listener, near.listener);
      sender.send(2, "hello");
      expect(await listener.read()).toBe("2:hello");
    });
  });

  describe("with pings", () => {
    it("asks both ends whether they live and keeps their answers to itself", async () => {
      const { sender, listener } = await join({ pingEveryMs: 20 });
      for (const end of [sender, listener]) {
        const ping = await end.next();
        expect(ping).toMatchObject({ opcode: 9, payload: { length: 8 } });
        if (typeof ping === "object") end.send(10, ping.payload);
      }
      sender.send(2, "data");
      for (;;) {
        const text = await listener.read();
        expect(text).not.toMatch(/^10:/);
        if (text === "2:data") break;
      }
    });

    it("takes an end for dead after two silences and tells the other", async () => {
      const { sender, listener, splice } = await join({ pingEveryMs: 30 });
      const answering = (async () => {
        for (;;) {
          const frame = await listener.next();
          if (typeof frame === "string") return frame;
          if (frame.opcode === 9) listener.send(10, frame.payload);
          if (frame.opcode === 8) return frame.payload.readUInt16BE(0);
        }
      })();
      expect(await answering).toBe(1001);
      expect(await splice.ended).toMatchObject({ clean: false, reason: "silent for too long" });
      await eventually(() => sender.end !== "open");
    });

    it("does not take an end for dead that is merely slow, nor one that it does not read itself", async () => {
      const { sender, listener, splice, near } = await join({ pingEveryMs: 20 });
      sender.socket.pause();
      const frame = maskedFrame(2, Buffer.alloc(1_048_576));
      for (let sent = 0; sent < 40; sent += 1) listener.socket.write(frame);
      await eventually(() => near.listener.isPaused());
      let ended: SpliceEnd | undefined;
      void splice.ended.then((end) => (ended = end));
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(ended).toBeUndefined();
    });

    it("puts no ping into the middle of a frame", async () => {
      const { sender, listener } = await join({ pingEveryMs: 10 });
      const frame = maskedFrame(2, Buffer.alloc(100, 65));
      sender.socket.write(frame.subarray(0, 50));
      for (let pings = 0; pings < 3;) {
        const ping = await sender.next();
        if (typeof ping !== "object" || ping.opcode !== 9) continue;
        sender.socket.cork();
        pings += 1;
        sender.socket.uncork();
        if (pings === 1) sender.socket.write(frame.subarray(50));
        sender.send(10, ping.payload);
      }
      for (;;) {
        const received = await listener.next();
        if (typeof received === "object" && received.opcode === 2) {
          expect(received.payload.equals(Buffer.alloc(100, 65))).toBe(true);
          break;
        }
      }
    });
  });
});
