import fc from "fast-check";
import { FrameForwarder } from "../../../src/relay/splice/frame-forwarder";
import { unmask } from "../../../src/relay/splice/unmask";

/** A client's frame, masked as RFC 6455 wants it. */
function masked(
  opcode: number,
  payload: Buffer,
  { fin = true, key = Buffer.from("a1b2c3d4", "hex") } = {},
): Buffer {
  const extended =
    payload.length > 65_535 ? Buffer.alloc(8) : payload.length > 125 ? Buffer.alloc(2) : Buffer.alloc(0);
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(payload.length));
  if (extended.length === 2) extended.writeUInt16BE(payload.length);
  const length = extended.length === 8 ? 127 : extended.length === 2 ? 126 : payload.length;
  const body = Buffer.from(payload);
  unmask(body, key, 0);
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | length]), extended, key, body]);
}

function run(chunks: readonly Buffer[]) {
  const out: Buffer[] = [];
  const controls: [number, string][] = [];
  const violations: string[] = [];
  const forwarder = new FrameForwarder({
    forward: (bytes) => out.push(Buffer.from(bytes)),
    control: (opcode, payload) => controls.push([opcode, payload.toString("hex")]),
    violation: (reason) => violations.push(reason),
  });
  for (const chunk of chunks) forwarder.push(Buffer.from(chunk));
  return { hex: Buffer.concat(out).toString("hex"), controls, violations, forwarder };
}

describe("unmasking", () => {
  it("undoes a mask at any offset and phase", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(7), fc.nat(7), (bytes, offset, phase) => {
        const key = Buffer.from("01f203f4", "hex");
        const plain = Buffer.alloc(offset + bytes.length);
        plain.set(bytes, offset);
        const expected = bytes.map((byte, index) => byte ^ key[(phase + index) % 4]!);
        unmask(plain.subarray(offset), key, phase);
        expect(Buffer.compare(plain.subarray(offset), Buffer.from(expected))).toBe(0);
      }),
    );
  });
});

describe("a frame forwarder", () => {
  it("gives out the same frame without its mask", () => {
    expect(run([masked(2, Buffer.from("hello"))]).hex).toBe(`8205${Buffer.from("hello").toString("hex")}`);
    expect(run([masked(1, Buffer.alloc(0))]).hex).toBe("8100");
  });

  it.each([126, 65_535, 65_536])("keeps the length of a frame of %i bytes", (length) => {
    const { hex } = run([masked(2, Buffer.alloc(length, 7))]);
    const header =
      length > 65_535
        ? `827f${length.toString(16).padStart(16, "0")}`
        : `827e${length.toString(16).padStart(4, "0")}`;
    expect(hex).toBe(header + "07".repeat(length));
  });

  it("gives out a zero-masked frame as it came", () => {
    expect(run([masked(2, Buffer.from([1, 2, 3]), { key: Buffer.alloc(4) })]).hex).toBe("8203010203");
  });

  it("keeps control frames apart, also between the fragments of a message", () => {
    const { hex, controls } = run([
      masked(2, Buffer.from([1]), { fin: false }),
      masked(9, Buffer.from("p")),
      masked(0, Buffer.from([2])),
      masked(8, Buffer.from([3, 232])),
    ]);
    expect(hex).toBe("020101800102");
    expect(controls).toEqual([
      [9, "70"],
      [8, "03e8"],
    ]);
  });

  it("does the same wherever the bytes are cut", () => {
    const whole = Buffer.concat([
      masked(2, Buffer.alloc(130, 5), { fin: false }),
      masked(10, Buffer.alloc(0)),
      masked(0, Buffer.from("tail")),
      masked(1, Buffer.from("next")),
      masked(8, Buffer.from([3, 233])),
    ]);
    const expected = run([whole]);
    for (let cut = 1; cut < whole.length; cut += 1) {
      const halves = run([whole.subarray(0, cut), whole.subarray(cut)]);
      expect([halves.hex, halves.controls]).toEqual([expected.hex, expected.controls]);
    }
    const bytes = run(Array.from(whole, (byte) => Buffer.from([byte])));
    expect([bytes.hex, bytes.controls]).toEqual([expected.hex, expected.controls]);
  });

  it("passes a frame's payload on before the frame is complete, and knows that it is inside one", () => {
    const frame = masked(2, Buffer.alloc(1_000, 1));
    const { hex, forwarder } = run([frame.subarray(0, 300)]);
    expect(hex).toHaveLength(2 * (4 + 292));
    expect(forwarder.atFrameBoundary).toBe(false);
    forwarder.push(Buffer.from(frame.subarray(300)));
    expect(forwarder.atFrameBoundary).toBe(true);
  });

  it.each([
    ["a reserved bit", Buffer.from("c280000000000", "hex")],
    ["an unknown opcode", Buffer.from("838000000000", "hex")],
    ["a frame without a mask", Buffer.from("820101", "hex")],
    ["a fragmented ping", Buffer.from("098000000000", "hex")],
    ["a ping that is too long", Buffer.from("89fe007e00000000", "hex")],
    ["a length out of range", Buffer.from("82ffffffffffffffffff00000000", "hex")],
    ["a continuation of nothing", masked(0, Buffer.from("x"))],
    [
      "a new message inside another",
      Buffer.concat([masked(1, Buffer.from("a"), { fin: false }), masked(1, Buffer.from("b"))]),
    ],
  ])("refuses %s once and gives out nothing more", (_, bytes) => {
    const { violations, forwarder } = run([bytes]);
    expect(violations).toHaveLength(1);
    forwarder.push(masked(2, Buffer.from("more")));
    expect(violations).toHaveLength(1);
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
        run(chunks.map((chunk) => Buffer.from(chunk)));
      }),
    );
  });
});
