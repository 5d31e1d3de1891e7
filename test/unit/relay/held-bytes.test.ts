import { maskedFrame } from "../../support/raw-websocket";
import { RelayEnds } from "./relay-ends";

describe("bytes that the relay holds for who does not read", () => {
  let ends: RelayEnds;
  afterEach(() => ends.close());

  /** Bytes that a sender gets rid of while the other end of its link does not read. */
  async function taken(legBytes: number): Promise<number> {
    ends = await RelayEnds.start({ limits: { legBytes } });
    const { sender, listener } = await ends.join();
    listener.socket.pause();
    const frame = maskedFrame(2, Buffer.alloc(65_536));
    for (let bytes = 0; bytes < 268_435_456; bytes += frame.length) {
      if (sender.socket.write(frame)) continue;
      const drained = new Promise<boolean>((resolve) => sender.socket.once("drain", () => resolve(true)));
      const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500));
      if (!(await Promise.race([drained, late]))) return bytes;
    }
    return Infinity;
  }

  it("are limits.legBytes of a link, beside what the kernel takes", async () => {
    const few = await taken(65_536);
    await ends.close();
    const many = await taken(67_108_864);
    expect(many - few).toBeGreaterThan(33_554_432);
    expect(many).toBeLessThan(Infinity);
  });

  /** Senders that a listener is told of before it is taken for stuck, since it reads nothing. */
  async function announced(controlBytes: number, most: number): Promise<number> {
    ends = await RelayEnds.start({ limits: { controlBytes } });
    const listener = await ends.listen();
    listener.socket.pause();
    for (let count = 0; count < most; count += 1) {
      const sender = await ends.connect({ headers: { "X-Padding": "a".repeat(50_000) } });
      const soon = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 10));
      if ((await Promise.race([sender.answer, soon])) !== undefined) return count;
    }
    return most;
  }

  it("are limits.controlBytes for a listener, which then is told of no more senders", async () => {
    const few = await announced(1, 600);
    expect(few).toBeLessThan(600);
    await ends.close();
    expect(await announced(67_108_864, few + 40)).toBe(few + 40);
  });
});
