import fc from "fast-check";
import { createWebSocketGuard } from "../../../src/auth-proxy/websocket-guard";

const failureStatus = '{"status":"Failure"}';
const loss = { status: failureStatus, closeReason: "auth proxy: lost" };
const guard = (expectsStatus = true) => createWebSocketGuard({ expectsStatus, loss });

function frame(opcode: number, payload: Buffer, { final = true, masked = false } = {}): Buffer {
  const length =
    payload.length < 126
      ? [payload.length]
      : payload.length < 65_536
        ? [126, payload.length >> 8, payload.length & 255]
        : [127, 0, 0, 0, 0, 0, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255];
  length[0]! |= masked ? 0x80 : 0;
  const mask = masked ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode, ...length]), mask, payload]);
}
const message = (channel: number, text: string) => frame(2, Buffer.from([channel, ...Buffer.from(text)]));
const close = frame(8, Buffer.from([0x03, 0xe8]));
const failureFrame = message(3, failureStatus);
const closing = frame(8, Buffer.from("\x03\xf3auth proxy: lost", "latin1"));
const lastWords = Buffer.concat([failureFrame, closing]);
const through = (chunks: Buffer[], expectsStatus = true) => {
  const one = guard(expectsStatus);
  return { passed: Buffer.concat(chunks.flatMap((chunk) => one.pass(chunk))), lost: one.lastWords() };
};

describe("WebSocket guard", () => {
  it("changes no byte, however frames are cut up", () => {
    const bytes = Buffer.concat([
      message(1, ""),
      message(1, "x".repeat(200)),
      frame(9, Buffer.from("ping")),
      frame(2, Buffer.from("\x01part"), { final: false }),
      frame(10, Buffer.alloc(0)),
      frame(0, Buffer.from("rest")),
      message(2, "y".repeat(70_000)),
      frame(1, Buffer.from("text"), { masked: true }),
      message(3, '{"status":"Success"}'),
      close,
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 40 }), (cuts) => {
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        const { passed, lost } = through(chunks);
        expect(passed.equals(bytes)).toBe(true);
        expect(lost).toEqual({ kind: "closed" });
      }),
      { numRuns: 50 },
    );
    const bytewise = through([...message(1, "abc")].map((byte) => Buffer.from([byte])));
    expect(bytewise.passed).toEqual(message(1, "abc"));
  });

  it("knows at each byte whether a word may be added", () => {
    const bytes = Buffer.concat([message(1, "one"), message(2, "two")]);
    const boundaries = [0, message(1, "one").length, bytes.length];
    for (let length = 0; length <= bytes.length; length += 1) {
      const { lost } = through([bytes.subarray(0, length)]);
      if (boundaries.includes(length)) expect(lost).toEqual({ kind: "frames", frames: lastWords });
      else expect(lost).toEqual({ kind: "mid-frame" });
    }
  });

  it("adds the failure before an orderly close that came without a status, and only then", () => {
    expect(through([message(1, "out"), close]).passed).toEqual(
      Buffer.concat([message(1, "out"), failureFrame, close]),
    );
    const told = Buffer.concat([message(3, '{"status":"Success"}'), close]);
    expect(through([told]).passed).toEqual(told);
    expect(through([close], false).passed).toEqual(close);
  });

  it("does not take the empty message that opens channel 3 for a status", () => {
    expect(through([message(3, "")]).lost).toEqual({ kind: "frames", frames: lastWords });
  });

  it("takes a status in fragments for one once its last fragment is there", () => {
    const first = frame(2, Buffer.from('\x03{"status":'), { final: false });
    const rest = frame(0, Buffer.from('"Success"}'));
    // Between fragments only a control frame may stand: the close alone, and no second message.
    expect(through([first]).lost).toEqual({ kind: "frames", frames: closing });
    expect(through([first, rest]).lost).toEqual({ kind: "frames", frames: closing });
    expect(through([first, rest, close]).passed).toEqual(Buffer.concat([first, rest, close]));
  });

  it("closes without a status where channel 3 is something else", () => {
    expect(through([message(1, "out")], false).lost).toEqual({ kind: "frames", frames: closing });
  });

  it("ends in some last word for any bytes at all", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 }), (chunks) => {
        const { lost } = through(chunks.map((chunk) => Buffer.from(chunk)));
        expect(["closed", "frames", "mid-frame"]).toContain(lost.kind);
      }),
    );
  });
});
