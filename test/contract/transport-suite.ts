import type { Transport, TransportHandler } from "../../src/tunnel/transport";

/** What a handler was told, in order, and a way to wait for more. */
export class Recorder implements TransportHandler {
  readonly messages: Buffer[] = [];
  readonly texts: true[] = [];
  readonly closes: [number, string][] = [];
  drains = 0;
  #waiting: (() => void)[] = [];

  message(data: Buffer): void {
    this.messages.push(Buffer.from(data));
    this.#wake();
  }

  textMessage(): void {
    this.texts.push(true);
    this.#wake();
  }

  drained(): void {
    this.drains += 1;
    this.#wake();
  }

  closed(code: number, reason: string): void {
    this.closes.push([code, reason]);
    this.#wake();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export interface Pair {
  readonly ends: readonly [Transport, Transport];
  /** Sends a text message from the first end. */
  sendText(): void;
}

/** The contract of Transport, which every implementation passes. */
export function describeTransport(name: string, createPair: () => Promise<Pair>): void {
  describe(`${name} transport`, () => {
    let one: Transport;
    let other: Transport;
    let sendText: () => void;
    let atOne: Recorder;
    let atOther: Recorder;

    beforeEach(async () => {
      const pair = await createPair();
      [one, other] = pair.ends;
      sendText = () => pair.sendText();
      atOne = new Recorder();
      atOther = new Recorder();
    });

    afterEach(async () => {
      one.attach(atOne);
      other.attach(atOther);
      one.abort();
      other.abort();
      await Promise.all([atOne, atOther].map((end) => end.until(() => end.closes.length > 0)));
    });

    const attach = () => {
      one.attach(atOne);
      other.attach(atOther);
    };

    const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

    it("delivers messages whole and in order, both ways", async () => {
      attach();
      one.send([Buffer.from("a"), Buffer.from("bc")]);
      one.send([Buffer.from("d")]);
      other.send([Buffer.from("e")]);
      await atOther.until(() => atOther.messages.length === 2);
      await atOne.until(() => atOne.messages.length === 1);
      expect(atOther.messages.map(String)).toEqual(["abc", "d"]);
      expect(atOne.messages.map(String)).toEqual(["e"]);
    });

    it("joins the parts of messages of every size", async () => {
      attach();
      for (const size of [1, 125, 126, 16_383, 16_384, 65_535, 65_536, 262_136]) {
        const before = atOther.messages.length;
        const body = Buffer.alloc(size, size % 251);
        one.send([Buffer.from("header: "), body.subarray(0, size >> 1), body.subarray(size >> 1)]);
        await atOther.until(() => atOther.messages.length > before);
        expect(atOther.messages.at(-1)?.equals(Buffer.concat([Buffer.from("header: "), body]))).toBe(true);
      }
    });

    it("does not change the parts that it was given", async () => {
      attach();
      const part = Buffer.alloc(100_000, 7);
      one.send([part]);
      other.send([part]);
      await atOther.until(() => atOther.messages.length === 1);
      await atOne.until(() => atOne.messages.length === 1);
      expect(part.every((byte) => byte === 7)).toBe(true);
    });

    it("keeps what comes before a handler is attached", async () => {
      one.attach(atOne);
      one.send([Buffer.from("early")]);
      await settle();
      other.attach(atOther);
      await atOther.until(() => atOther.messages.length === 1);
      expect(String(atOther.messages[0])).toBe("early");
    });

    it("delivers nothing before attach has returned", async () => {
      one.attach(atOne);
      one.send([Buffer.from("early")]);
      one.close(1000, "");
      await settle();
      other.attach(atOther);
      expect([atOther.messages, atOther.closes]).toEqual([[], []]);
      await atOther.until(() => atOther.closes.length === 1);
      expect(atOther.messages).toHaveLength(1);
    });

    it("counts what waits, and says when it has become less", async () => {
      attach();
      other.pause();
      const part = Buffer.alloc(262_144);
      for (let sent = 0; sent < 64 && one.bufferedBytes < 1_000_000; sent += 1) one.send([part]);
      const before = one.bufferedBytes;
      expect(before).toBeGreaterThan(0);
      const drains = atOne.drains;
      other.resume();
      await atOne.until(() => atOne.drains > drains && one.bufferedBytes === 0);
    });

    it("delivers nothing while paused, and everything afterwards", async () => {
      attach();
      other.pause();
      for (let index = 0; index < 50; index += 1) one.send([Buffer.from([index])]);
      await settle();
      expect(atOther.messages).toHaveLength(0);
      other.resume();
      await atOther.until(() => atOther.messages.length === 50);
      expect(atOther.messages.map((message) => message[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
    });

    it("can be paused from within a message", async () => {
      attach();
      const record = atOther.message.bind(atOther);
      atOther.message = (data) => {
        record(data);
        other.pause();
      };
      for (let index = 0; index < 5; index += 1) one.send([Buffer.from([index])]);
      await atOther.until(() => atOther.messages.length === 1);
      await settle();
      expect(atOther.messages).toHaveLength(1);
      for (let count = 2; count <= 5; count += 1) {
        other.resume();
        await atOther.until(() => atOther.messages.length === count);
      }
    });

    it("tells of a text message", async () => {
      attach();
      sendText();
      await atOther.until(() => atOther.texts.length === 1);
    });

    it("closes after what was sent, with code and reason at the far end", async () => {
      attach();
      one.send([Buffer.from("last")]);
      one.close(4400, "because");
      await atOther.until(() => atOther.closes.length === 1);
      await atOne.until(() => atOne.closes.length === 1);
      expect(atOther.messages.map(String)).toEqual(["last"]);
      expect(atOther.closes).toEqual([[4400, "because"]]);
    });

    it("cuts a reason that is too long rather than fail", async () => {
      attach();
      one.close(4400, "ü".repeat(1_000));
      await atOther.until(() => atOther.closes.length === 1);
      expect(atOther.closes[0]?.[1]).toMatch(/^ü+$/);
    });

    it("delivers nothing more once it is being closed from here", async () => {
      attach();
      other.send([Buffer.from("late")]);
      one.close(1000, "");
      await atOne.until(() => atOne.closes.length === 1);
      expect(atOne.messages).toHaveLength(0);
    });

    it("ignores what is sent after a close, and a second close", async () => {
      attach();
      one.close(1000, "");
      one.send([Buffer.from("late")]);
      one.close(4400, "again");
      await atOther.until(() => atOther.closes.length === 1);
      expect(atOther.messages).toHaveLength(0);
      expect(atOther.closes).toEqual([[1000, ""]]);
    });

    it("shows an abort as a loss at both ends", async () => {
      attach();
      one.abort();
      await Promise.all([atOne, atOther].map((end) => end.until(() => end.closes.length === 1)));
      expect(atOne.closes[0]?.[0]).toBe(1006);
      expect(atOther.closes[0]?.[0]).toBe(1006);
    });

    it("tells of the end once, whatever is called afterwards", async () => {
      attach();
      one.abort();
      one.abort();
      one.close(1000, "");
      one.send([Buffer.from("late")]);
      one.pause();
      one.resume();
      await atOne.until(() => atOne.closes.length === 1);
      await settle();
      expect(atOne.closes).toHaveLength(1);
      expect(atOther.closes).toHaveLength(1);
    });
  });
}
