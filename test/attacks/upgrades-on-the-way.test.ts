/** Upgrades that are over before they have begun: their caller leaves, or their time is up, while the apiserver still thinks, or refuses. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { execByGet, execByPost, http1Text, sendBytes, type RequestKind } from "./fixture/requests";
import { answerReviews } from "./fixture/reviews";

const kinds: [string, RequestKind][] = [
  ["exec by GET", execByGet],
  ["exec by POST", execByPost],
];
/** The head of a refusal, and less of its body than it says. */
const refusal = "HTTP/1.1 403 -\r\nContent-Length: 100\r\n\r\n{";
const switched = ({ lines }: RequestKind) => {
  const upgrade = lines.find((line) => line.startsWith("Upgrade:"));
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade}\r\n\r\n`;
};

/** The lines of the audit log about the caller under way. */
const audited = (proxy: Parameters<Parameters<typeof describeOnNodes>[1]>[0]) =>
  proxy.process
    .output()
    .split("\n")
    .filter((line) => line.includes('"request"') && line.includes(proxy.caller.user))
    .map((line) => JSON.parse(line) as { status: number; abandoned?: boolean; code?: string; end?: string });

describeOnNodes("upgrades whose caller leaves", (proxy) => {
  let upstream: Socket[] = [];
  let says = "";
  beforeEach(() => {
    upstream = [];
    proxy.apiserver.upgrade = (_, socket) => {
      // Half open: it ends for no other reason than that its client has.
      upstream.push(socket.on("error", () => undefined).resume());
      socket.write(says);
    };
  });
  const expectGone = async () => {
    await eventually(() => upstream.every((socket) => socket.destroyed || socket.readableEnded));
    for (const socket of upstream) socket.destroy();
    await eventually(() => audited(proxy).length === 1);
  };
  const begin = async (kind: RequestKind) => {
    const socket = await proxy.connect();
    socket.write(http1Text(kind, [], { authorization: proxy.caller.authorization }));
    await eventually(() => upstream.length === 1);
    return socket;
  };

  it.each(kinds)("are gone upstream, and recorded as abandoned, before any answer: %s", async (_, kind) => {
    says = "";
    (await begin(kind)).destroy();
    await expectGone();
    expect(audited(proxy)).toEqual([expect.objectContaining({ status: 0, abandoned: true })]);
  });

  it.each(kinds)("are gone upstream in the middle of a refusal: %s", async (_, kind) => {
    says = refusal;
    const socket = await begin(kind);
    await once(socket, "data");
    socket.destroy();
    await expectGone();
    expect(audited(proxy)).toEqual([expect.objectContaining({ status: 403 })]);
  });

  it.each(kinds)("are recorded with their end, and no loss that there was not: %s", async (_, kind) => {
    says = switched(kind);
    const socket = await begin(kind);
    await once(socket, "data");
    socket.destroy();
    await expectGone();
    const [line] = audited(proxy);
    expect(line).toEqual(expect.objectContaining({ status: 101 }));
    expect(line).not.toHaveProperty("code");
  });

  it("are recorded as lost when the apiserver drops them", async () => {
    says = switched(execByGet);
    const socket = await begin(execByGet);
    await once(socket, "data");
    socket.resume();
    upstream[0]!.destroy();
    await expectGone();
    expect(audited(proxy)).toEqual([expect.objectContaining({ code: "ERR_APISERVER_LOST" })]);
  });

  it.each(kinds)("lose nothing of what was said before the answer: %s", async (_, kind) => {
    says = "";
    const socket = await proxy.connect();
    const text = http1Text(kind, [], { authorization: proxy.caller.authorization });
    socket.write(Buffer.concat([text, Buffer.from("first,")]));
    await eventually(() => upstream.length === 1);
    // A piece so long that it is read in several, and no longer than is read.
    const long = "second,".repeat(5_000);
    socket.write(long);
    upstream[0]!.write(switched(kind));
    await once(socket, "data");
    socket.write("third");
    const spliced = () => proxy.sent()[0]!.spliced.toString();
    await eventually(() => spliced().endsWith("third"));
    expect(spliced() === `first,${long}third`).toBe(true);
    socket.destroy();
    await expectGone();
  });

  it.each(kinds)("take no more ahead of the answer than is kept for it: %s", async (_, kind) => {
    says = "";
    const socket = await begin(kind);
    let taken = 0;
    const piece = Buffer.alloc(100_000);
    for (let count = 0; count < 400; count += 1) socket.write(piece, () => (taken += 1));
    // Until nothing more of it goes out: the buffers between them are full.
    for (let before = -1; taken !== before;) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(taken).toBeLessThan(400);
    upstream[0]!.destroy();
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 502 /);
    socket.destroy();
    await expectGone();
  });

  it.each(kinds)("are refused at any length: %s", async (_, kind) => {
    const length = 4_000_000;
    says = `HTTP/1.1 403 -\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
    const text = http1Text(kind, [], { authorization: proxy.caller.authorization });
    const answer = await sendBytes(proxy, text);
    expect([answer.end, answer.statuses]).toEqual(["complete", [403]]);
    await expectGone();
  });

  it.each(kinds)("are gone upstream when he only ends his side before any answer: %s", async (_, kind) => {
    says = "";
    (await begin(kind)).resume().end();
    await expectGone();
  });
});

describeOnNodes(
  "upgrades whose time is up",
  (proxy) => {
    const reviews = answerReviews(proxy);
    let upstream: Socket[] = [];
    let says = "";
    let reviewTakesMs = 0;
    beforeAll(() => {
      const { handle } = proxy.apiserver;
      proxy.apiserver.handle = (request, response) => {
        if (request.method !== "POST" || reviewTakesMs === 0) return handle(request, response);
        setTimeout(() => handle(request, response), reviewTakesMs);
      };
    });
    beforeEach(() => {
      [upstream, says, reviewTakesMs] = [[], "", 0];
      proxy.apiserver.upgrade = (_, socket) => {
        upstream.push(socket.on("error", () => undefined).resume());
        socket.write(says);
      };
    });
    const send = async (kind: RequestKind, lines: readonly string[] = []) => {
      const answer = await sendBytes(
        proxy,
        http1Text(kind, lines, { authorization: proxy.caller.authorization }),
        { answers: 9 },
      );
      await eventually(() => upstream.every((socket) => socket.destroyed || socket.readableEnded));
      for (const socket of upstream) socket.destroy();
      await eventually(() => audited(proxy).length === 1);
      expect(audited(proxy)).toEqual([expect.objectContaining({ code: "ERR_AUTH_PROXY_STREAM_EXPIRED" })]);
      return answer;
    };

    it.each(kinds)("are refused while the apiserver thinks: %s", async (_, kind) => {
      const { text } = await send(kind);
      expect(text).toContain("ERR_AUTH_PROXY_STREAM_EXPIRED");
      expect(upstream).toHaveLength(1);
    });

    it.each(kinds)("are cut in the middle of a refusal, which looks no whole: %s", async (_, kind) => {
      says = refusal;
      const { end, statuses } = await send(kind);
      expect([end, statuses]).toEqual(["closed", [403]]);
    });

    it.each(kinds)("are recorded as cut after a 101: %s", async (_, kind) => {
      says = switched(kind);
      const { end, statuses } = await send(kind);
      expect([end, statuses[0]]).toEqual(["closed", 101]);
    });

    it.each(kinds)("do not begin once it is over: %s", async (_, kind) => {
      reviews.decide = () => ({ allowed: true });
      reviewTakesMs = 1_000;
      await send(kind, ["Impersonate-User: alice"]);
      expect(upstream).toHaveLength(0);
      expect(proxy.sent()).toHaveLength(0);
    });
  },
  () => ({ streams: { end: "maxAge", maxAgeMs: 500 }, impersonation: { nested: true } }),
);
