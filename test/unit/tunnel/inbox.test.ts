import fc from "fast-check";
import { Inbox, isSmallPart } from "../../../src/tunnel/inbox";

const drain = (inbox: Inbox) => {
  const chunks: Buffer[] = [];
  for (let chunk = inbox.shift(); chunk !== undefined; chunk = inbox.shift()) chunks.push(chunk);
  return chunks;
};

describe("an inbox", () => {
  it("gives large chunks back as they came", () => {
    const inbox = new Inbox();
    const chunk = Buffer.alloc(65_536);
    inbox.push(chunk);
    expect(inbox.bytes).toBe(65_536);
    expect(inbox.shift()).toBe(chunk);
    expect(inbox.isEmpty).toBe(true);
    expect(inbox.shift()).toBeUndefined();
  });

  it("joins small parts of large messages", () => {
    const inbox = new Inbox();
    for (let count = 0; count < 20_000; count += 1)
      inbox.push(Buffer.alloc(262_144, count).subarray(count, count + 1));
    const chunks = drain(inbox);
    expect(chunks).toHaveLength(2);
    expect(chunks.every((chunk) => !isSmallPart(chunk) || chunk.buffer.byteLength <= 16_384)).toBe(true);
    expect(Buffer.concat(chunks).every((byte, index) => byte === (index & 0xff))).toBe(true);
  });

  it("keeps every byte in its place, whatever the sizes", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            length: fc.integer({ min: 1, max: 20_000 }),
            small: fc.boolean(),
            shift: fc.boolean(),
          }),
          { maxLength: 30 },
        ),
        (pushes) => {
          const inbox = new Inbox();
          const expected: Buffer[] = [];
          const given: Buffer[] = [];
          pushes.forEach(({ length, small, shift }, index) => {
            const chunk = Buffer.alloc(small ? 262_144 : length, index).subarray(0, length);
            expected.push(Buffer.from(chunk));
            inbox.push(chunk);
            const next = shift ? inbox.shift() : undefined;
            if (next !== undefined) given.push(Buffer.from(next));
          });
          const all = Buffer.concat([...given, ...drain(inbox)]);
          expect(inbox.bytes).toBe(0);
          return all.equals(Buffer.concat(expected));
        },
      ),
    );
  });

  it("forgets what was in it", () => {
    const inbox = new Inbox();
    inbox.push(Buffer.alloc(10));
    inbox.clear();
    expect([inbox.isEmpty, inbox.shift()]).toEqual([true, undefined]);
  });
});
