import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import fc from "fast-check";
import { encodeProxyHeader } from "../../../src/agent/proxy-header";
import { parseProxyHeader, readProxyHeader } from "../../../src/auth-proxy/proxy-header";

const session = "9f1c2d3e-0000-4000-8000-00000000a11c";
const limits = { proxyHeaderBytes: 536, proxyHeaderTimeoutMs: 200 };

describe("PROXY header", () => {
  it("is, in hex, what the agent writes", () => {
    expect(encodeProxyHeader("s-1", 7).toString("hex")).toBe(
      "0d0a0d0a000d0a515549540a" + "20" + "00" + "0008" + "e0" + "0005" + "732d312f37",
    );
    expect(parseProxyHeader(encodeProxyHeader(session, 7), 536)).toEqual({
      origin: { sessionId: session, streamId: "7" },
      length: 16 + 3 + session.length + 2,
    });
  });

  it("is incomplete until its last byte is there", () => {
    const header = encodeProxyHeader(session, 7);
    for (let length = 0; length < header.length; length += 1) {
      expect(parseProxyHeader(header.subarray(0, length), 536)).toBeUndefined();
    }
  });

  it("skips values that it does not know, and does without ids of another form", () => {
    const build = (...tlvs: Buffer[]) => {
      const body = Buffer.concat(tlvs);
      const head = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex");
      head.writeUInt16BE(body.length, 14);
      return Buffer.concat([head, body]);
    };
    const tlv = (type: number, value: string) => Buffer.from([type, 0, value.length, ...Buffer.from(value)]);
    expect(parseProxyHeader(build(tlv(0x04, "noop"), tlv(0xe0, "a/1")), 536)?.origin.sessionId).toBe("a");
    for (const value of ["", "a", "a/b", "a\n/1", `${"x".repeat(65)}/1`, "a/1/2"]) {
      expect(parseProxyHeader(build(tlv(0xe0, value)), 536)?.origin).toEqual({});
    }
    expect(parseProxyHeader(build(), 536)?.origin).toEqual({});
    expect(() => parseProxyHeader(build(Buffer.from([0xe0, 0])), 536)).toThrow("truncated");
    expect(() => parseProxyHeader(build(Buffer.from([0xe0, 0, 9, 1])), 536)).toThrow("truncated");
  });

  it("ends in a value, a wait or an error for any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, prefixed) => {
        const input = Buffer.from(bytes);
        const whole = prefixed ? Buffer.concat([encodeProxyHeader("a", 1).subarray(0, 14), input]) : input;
        try {
          const parsed = parseProxyHeader(whole, 536);
          if (parsed !== undefined) expect(parsed.length).toBeLessThanOrEqual(whole.length);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  it("is taken off a socket whose following bytes stay, however they are cut up", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [socket] = (await once(server, "connection")) as [Socket];
    const bytes = Buffer.concat([encodeProxyHeader(session, 3), Buffer.from("and TLS")]);
    const reading = readProxyHeader(socket, limits);
    client.setNoDelay(true);
    for (let at = 0; at < bytes.length; at += 9) {
      client.write(bytes.subarray(at, at + 9));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await reading).toEqual({ sessionId: session, streamId: "3" });
    let rest = "";
    socket.on("data", (chunk: Buffer) => (rest += chunk.toString()));
    while (rest.length < 7) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(rest).toBe("and TLS");
    client.destroy();
    socket.destroy();
    server.close();
  });

  it("is not waited for beyond its bound", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [socket] = (await once(server, "connection")) as [Socket];
    await expect(readProxyHeader(socket, { ...limits, proxyHeaderTimeoutMs: 20 })).rejects.toThrow("in time");
    client.destroy();
    socket.destroy();
    server.close();
  });
});
