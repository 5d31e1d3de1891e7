import fc from "fast-check";
import { closeCodes } from "../../../src/protocol/codes";
import { HeldMemory } from "../../../src/tunnel/held-memory";
import type { TunnelStream } from "../../../src/tunnel/stream";
import {
  agentHelloJson,
  agentWithRawClient,
  clientHelloJson,
  clientWithRawAgent,
  credit,
  data,
  fin,
  frame,
  join,
  open,
  ping,
  Reader,
  reset,
  turns,
  until,
} from "./session-pair";

/** What is written on one direction of one stream, in which pieces, and how it ends. */
interface Script {
  readonly pieces: readonly number[];
  readonly ending: "finish" | "reset";
}

const script = (endings: readonly Script["ending"][]): fc.Arbitrary<Script> =>
  fc.record({
    pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 90_000 })), {
      maxLength: 8,
    }),
    ending: fc.constantFrom(...endings),
  });

const conversation = (endings: readonly Script["ending"][]) =>
  fc.record({ up: script(endings), down: script(endings), stalls: fc.boolean() });

/** Bytes that tell their place, so that one lost, doubled or moved is seen. */
function bytesOf(seed: number, lengths: readonly number[]): Buffer[] {
  let position = seed;
  return lengths.map((length) => Buffer.from(Array.from({ length }, () => (position += 7) & 0xff)));
}

async function play(
  stream: TunnelStream,
  script: Script,
  pieces: readonly Buffer[],
  pace: number,
): Promise<void> {
  for (const piece of pieces) {
    stream.write(piece);
    if (piece.length % 3 === 0) await turns(pace);
  }
  if (script.ending === "finish") stream.finish();
  else stream.reset("cancelled", "");
}

describe("any interleaving of streams", () => {
  it("delivers each stream's bytes exactly, in order, to the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(conversation(["finish"]), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 3 }),
        async (conversations, pace) => {
          const memory = new HeldMemory(1e9);
          const { client, accepted, agent } = join(undefined, { agent: { memory }, client: { memory } });
          const here = conversations.map(({ stalls }) => new Reader(client.open(), stalls));
          await until(() => accepted.length === conversations.length);
          const there = conversations.map(({ stalls }, index) => new Reader(accepted[index]!, stalls));
          const up = conversations.map(({ up }, index) => bytesOf(index, up.pieces));
          const down = conversations.map(({ down }, index) => bytesOf(100 + index, down.pieces));
          await Promise.all([
            ...conversations.map(({ up: s }, index) => play(here[index]!.stream, s, up[index]!, pace)),
            ...conversations.map(({ down: s }, index) => play(there[index]!.stream, s, down[index]!, pace)),
          ]);
          for (const reader of [...here, ...there]) reader.goOn();
          await until(() => [...here, ...there].every(({ isClosed }) => isClosed));
          there.forEach(({ all }, index) => expect(all.equals(Buffer.concat(up[index]!))).toBe(true));
          here.forEach(({ all }, index) => expect(all.equals(Buffer.concat(down[index]!))).toBe(true));
          expect([client.openStreams, agent.openStreams, memory.used]).toEqual([0, 0, 0]);
          await client.close("a test ended");
        },
      ),
      { numRuns: 40 },
    );
  });

  it("with resets among them delivers a prefix, and says so at both ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(conversation(["finish", "reset"]), { minLength: 1, maxLength: 5 }),
        async (conversations) => {
          const memory = new HeldMemory(1e9);
          const { client, accepted } = join(undefined, { agent: { memory }, client: { memory } });
          const here = conversations.map(() => new Reader(client.open()));
          await until(() => accepted.length === conversations.length);
          const there = conversations.map((_, index) => new Reader(accepted[index]!));
          const up = conversations.map(({ up }, index) => bytesOf(index, up.pieces));
          await Promise.all([
            ...conversations.map(({ up: s }, index) => play(here[index]!.stream, s, up[index]!, 1)),
            ...conversations.map(({ down: s }, index) =>
              play(there[index]!.stream, s, bytesOf(100 + index, s.pieces), 1),
            ),
          ]);
          const isOver = ({ isClosed, loss }: Reader) => isClosed || loss !== undefined;
          await until(() => [...here, ...there].every(isOver));
          there.forEach((reader, index) => {
            const whole = Buffer.concat(up[index]!);
            expect(whole.subarray(0, reader.bytes).equals(reader.all)).toBe(true);
            if (reader.hasFinished) expect(reader.bytes).toBe(whole.length);
          });
          expect(memory.used).toBe(0);
          await client.close("a test ended");
        },
      ),
      { numRuns: 40 },
    );
  });
});

const knownCodes: readonly number[] = Object.values(closeCodes);

const anyFrame: fc.Arbitrary<Buffer> = fc.oneof(
  fc.integer({ min: 1, max: 6 }).map(open),
  fc
    .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 70_000 }))
    .map(([id, length]) => data(id, Buffer.alloc(length))),
  fc.integer({ min: 0, max: 6 }).map(fin),
  fc.integer({ min: 0, max: 6 }).map((id) => reset(id)),
  fc.tuple(fc.integer({ min: 0, max: 6 }), fc.nat(0xffff_ffff)).map(([id, bytes]) => credit(id, bytes)),
  fc.constant(ping("12345678")),
  fc
    .constantFrom(agentHelloJson, clientHelloJson)
    .map((hello) => frame(0x01, 0, Buffer.from(JSON.stringify(hello)))),
  fc.json().map((json) => frame(0x01, 0, Buffer.from(json))),
  fc
    .tuple(fc.nat(255), fc.nat(3), fc.uint8Array({ maxLength: 40 }))
    .map(([type, id, payload]) => frame(type, id, Buffer.from(payload))),
);

/** Messages of legal and illegal frames, some cut, some with a bit turned, and some plain noise. */
const anyMessage: fc.Arbitrary<Buffer> = fc.oneof(
  fc.array(anyFrame, { minLength: 1, maxLength: 8 }).map((frames) => Buffer.concat(frames)),
  fc
    .tuple(anyFrame, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([whole, part]) => whole.subarray(0, Math.floor(whole.length * part))),
  fc.tuple(anyFrame, fc.nat(), fc.nat(7)).map(([whole, at, bit]) => {
    const turned = Buffer.from(whole);
    const place = at % turned.length;
    turned[place] = turned[place]! ^ (1 << bit);
    return turned;
  }),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.alloc(262_145)),
);

describe("any input", () => {
  it.each([
    ["an agent", () => agentEnd()],
    ["a client", () => clientEnd()],
  ])("leaves %s running within its bounds, or ends it with one code", async (_, createEnd) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyMessage, { maxLength: 12 }), async (messages) => {
        const { session, link, peer, memory } = createEnd();
        for (const message of messages) {
          peer.link.send([message]);
          await turns(1);
        }
        await turns(6);
        expect(link.closeCalls.length).toBeLessThanOrEqual(1);
        expect(memory.used).toBeLessThanOrEqual(8 * 131_072);
        if (link.closeCalls.length === 1) {
          const end = await session.closed;
          expect(knownCodes).toContain(end.code);
          expect(end).toMatchObject({ local: true, clean: false });
          expect(peer.closes).toEqual([[end.code, end.reason]]);
          expect([memory.used, session.openStreams]).toEqual([0, 0]);
        }
        await session.close("a test ended");
        expect(memory.used).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});

function agentEnd() {
  const memory = new HeldMemory(8 * 131_072);
  const { agent, peer, agentLink } = agentWithRawClient({
    memory,
    onStream: (stream) => void new Reader(stream),
  });
  return { session: agent, link: agentLink, peer, memory };
}

function clientEnd() {
  const memory = new HeldMemory(8 * 131_072);
  const { client, peer, clientLink } = clientWithRawAgent({ memory });
  for (let count = 0; count < 3; count += 1) new Reader(client.open()).stream.write(Buffer.alloc(200_000));
  return { session: client, link: clientLink, peer, memory };
}
