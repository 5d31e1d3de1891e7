/** A client that wants to reach something else than the agent's one target. */
import type { WebSocket } from "ws";
import { encodeHeader, encodeOpen } from "../../src/protocol/encode";
import { frameType } from "../../src/protocol/frames";
import { eventually } from "../support/eventually";
import { dataFrame, describeAgentOnNodes, hello } from "./fixture/attacked-agent";

describeAgentOnNodes("a stream that names a target", (agent) => {
  const evil = () => `127.0.0.1:${agent.elsewherePort}`;
  const longHello = Buffer.concat([encodeHeader(frameType.hello, 0, 100_000), Buffer.alloc(100_000, "{")]);
  const openWith = (payload: string, stream = 1) =>
    Buffer.concat([encodeHeader(frameType.open, stream, payload.length), Buffer.from(payload)]);
  const closed = (leg: WebSocket) => new Promise<number>((resolve) => leg.once("close", resolve));

  it.each([
    ["an address in OPEN", () => openWith(evil())],
    ["JSON in OPEN", () => openWith(JSON.stringify({ host: "127.0.0.1", port: agent.elsewherePort }))],
    ["one byte in OPEN", () => openWith("x")],
    ["OPEN for the session", () => encodeOpen(0)],
    ["OPEN of an id that is not next", () => encodeOpen(7)],
    ["OPEN of the same id twice", () => Buffer.concat([encodeOpen(1), encodeOpen(1)])],
    ["a frame type that is none", () => encodeHeader(0x15, 1, 0)],
    ["DATA of a stream that was never opened", () => dataFrame(9, "GET / HTTP/1.1\r\n\r\n")],
    ["a second HELLO", () => hello({ client: "again" })],
    ["a frame that is cut short", () => encodeOpen(1).subarray(0, 5)],
    ["a length beyond the message", () => encodeHeader(frameType.data, 1, 0xff_ffff)],
  ])("ends the session: %s", async (_, frames) => {
    const leg = await agent.leg();
    const end = closed(leg);
    leg.send(Buffer.concat([hello(), frames()]));
    expect(await end).not.toBe(1000);
    expect(agent.received.filter((bytes) => bytes.length > 100)).toEqual([]);
  });

  it.each([
    ["text", (leg: WebSocket) => leg.send(JSON.stringify({ target: evil() }))],
    ["OPEN before HELLO", (leg: WebSocket) => leg.send(openWith(""))],
    ["a HELLO of another version", (leg: WebSocket) => leg.send(hello({ version: 2 }))],
    [
      "a HELLO that is no JSON",
      (leg: WebSocket) => leg.send(Buffer.concat([encodeHeader(1, 0, 2), Buffer.from("{x")])),
    ],
    ["a HELLO over all bounds", (leg: WebSocket) => leg.send(longHello)],
    [
      "a HELLO that wants less than the defaults",
      (leg: WebSocket) => leg.send(hello({ limits: { dataBytes: 1 } })),
    ],
    ["an empty message", (leg: WebSocket) => leg.send(Buffer.alloc(0))],
  ])("ends a session that begins with %s", async (_, begin) => {
    const leg = await agent.leg();
    const end = closed(leg);
    begin(leg);
    expect(await end).not.toBe(1000);
  });

  it("is not told one by HELLO", async () => {
    const leg = await agent.leg();
    const target = { host: "127.0.0.1", port: agent.elsewherePort };
    leg.send(
      Buffer.concat([
        hello({ target, socket: "/etc/passwd", cluster: "plant-8" }),
        encodeOpen(1),
        dataFrame(1, "hello-target"),
      ]),
    );
    await eventually(() => agent.received.some((bytes) => bytes.toString("latin1").endsWith("hello-target")));
    leg.terminate();
  });

  it.each([
    ["CONNECT", () => `CONNECT ${evil()} HTTP/1.1\r\nHost: ${evil()}\r\n\r\n`],
    ["SOCKS", () => "\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"],
    [
      "a PROXY header of its own",
      () => `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x50\0\x50`,
    ],
    ["a PROXY header of version 1", () => "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"],
  ])(
    "is not told one by its bytes, which the target gets behind the agent's own header: %s",
    async (_, text) => {
      const leg = await agent.leg();
      const bytes = Buffer.from(text(), "latin1");
      leg.send(Buffer.concat([hello(), encodeOpen(1), dataFrame(1, bytes)]));
      await eventually(() => agent.received.length > 0 && agent.received[0]!.includes(bytes));
      const [received] = agent.received;
      expect(received!.subarray(16 + received!.readUInt16BE(14)).equals(bytes)).toBe(true);
      leg.terminate();
    },
  );

  it("is not told one by the headers that the relay says the client sent", async () => {
    const id = "x\r\nHost: evil";
    const headers = { Host: evil(), "X-Forwarded-Host": evil(), "X-Target": evil() };
    await agent.relay.announce(agent.relay.address(), id, headers);
    const leg = await agent.relay.nextLeg();
    leg.send(Buffer.concat([hello(), encodeOpen(1), dataFrame(1, "headers")]));
    await eventually(() => agent.received.some((bytes) => bytes.toString("latin1").endsWith("headers")));
    leg.terminate();
  });

  it("is no more than the agent allows: streams beyond the limit are refused, one by one", async () => {
    const leg = await agent.leg();
    leg.send(hello());
    leg.send(Buffer.concat(Array.from({ length: 600 }, (_, index) => encodeOpen(index + 1))));
    let resets = 0;
    leg.on("message", (data: Buffer) => {
      for (let at = 0; at + 8 <= data.length; at += 8 + data.readUIntBE(at + 1, 3)) {
        if (data[at] === frameType.reset) resets += 1;
      }
    });
    await eventually(() => resets > 0);
    leg.terminate();
  });
});
