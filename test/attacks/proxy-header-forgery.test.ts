/** The header at the head of each connection is the agent's: it may name a session, never an address or a person. */
import { proxyHeader } from "../support/auth-proxy-harness";
import { describeOnNodes } from "./fixture/describe-attack";
import { exchangeBytes, untilGone } from "./fixture/answer";
import { get, http1Text } from "./fixture/requests";

const signature = "\r\n\r\n\0\r\nQUIT\n";
const latin1 = (text: string) => Buffer.from(text, "latin1");

describeOnNodes(
  "forged PROXY headers",
  (proxy) => {
    const drop = async (bytes: Buffer) => {
      const socket = await proxy.connectRaw();
      socket.write(bytes);
      await untilGone(socket);
      expect(proxy.sent()).toHaveLength(0);
    };

    it.each([
      ["none, but TLS", latin1("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")],
      ["none, but HTTP", latin1("GET /api HTTP/1.1\r\nHost: a\r\n\r\n")],
      ["one that names an address", latin1(`${signature}\x21\x11\0\x0c${"\x01".repeat(12)}`)],
      ["one that names a unix socket", latin1(`${signature}\x21\x31\0\xd8${"/".repeat(216)}`)],
      ["LOCAL with an address family", latin1(`${signature}\x20\x11\0\x0c${"\x01".repeat(12)}`)],
      ["version 1", latin1("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")],
      ["version 3", latin1(`${signature}\x30\0\0\0`)],
      ["a command that is none", latin1(`${signature}\x2f\0\0\0`)],
      ["an endless one", Buffer.concat([latin1(`${signature}\x20\0\xff\xff`), Buffer.alloc(600)])],
      ["a length that is cut short", latin1(`${signature}\x20\0\0\x05\xe0\0\x20ab`)],
      [
        "one beyond its bound, of nothing but what may be skipped",
        Buffer.concat([latin1(`${signature}\x20\0\x02\x10\x01\x02\x0d`), Buffer.alloc(0x20d)]),
      ],
      ["half a length", latin1(`${signature}\x20\0\0\x02\xe0\0`)],
    ])("are dropped: %s", (_, bytes) => drop(bytes));

    it("are given up when they do not come", async () => {
      const socket = await proxy.connectRaw();
      socket.write(latin1(signature.slice(0, 5)));
      await untilGone(socket);
    });

    it.each([
      ["words", "system:intruder"],
      ["a header line", "x\r\nImpersonate-User: system:intruder/7"],
      ["too many characters", `${"a".repeat(65)}/7`],
      ["words behind the ids", "9f1c2d3e-0000-4000-8000-00000000a11c/7;admin"],
      ["words before the ids", "/9f1c2d3e-0000-4000-8000-00000000a11c/7"],
      ["no stream", "9f1c2d3e-0000-4000-8000-00000000a11c/"],
      ["nothing", ""],
    ])("bring no session of another form upstream: %s", async (_, value) => {
      const socket = await proxy.connect("http/1.1", proxyHeader(value));
      const answer = await exchangeBytes(
        socket,
        http1Text(get, [], { authorization: proxy.caller.authorization }),
      );
      expect(answer.statuses).toEqual([200]);
      const [sent] = proxy.sent();
      expect(sent!.lines.map(([name]) => name).filter((name) => /%2fsession$/i.test(name))).toEqual([]);
    });

    it.each([5, 15, 18, 30])(
      "are waited for when they come in pieces: the first %i bytes",
      async (length) => {
        const socket = await proxy.connect("http/1.1", proxyHeader(), length);
        const { authorization } = proxy.caller;
        const { statuses } = await exchangeBytes(socket, http1Text(get, [], { authorization }));
        expect(statuses).toEqual([200]);
        expect(proxy.sent()[0]!.lines.filter(([name]) => /%2fsession$/i.test(name))).toHaveLength(1);
      },
    );

    it("bring the session upstream that a good one names, and nothing else of it", async () => {
      const socket = await proxy.connect("http/1.1");
      await exchangeBytes(socket, http1Text(get, [], { authorization: proxy.caller.authorization }));
      const session = proxy.sent()[0]!.lines.filter(([name]) => /%2fsession$/i.test(name));
      expect(session.map(([, value]) => value)).toEqual(["9f1c2d3e-0000-4000-8000-00000000a11c"]);
    });
  },
  () => ({ limits: { lingerMs: 300, uploadDrainMs: 300, proxyHeaderTimeoutMs: 300 } }),
);
