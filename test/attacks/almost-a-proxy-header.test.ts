/** A PROXY header that is right but for one thing: what it lacks is what it is known by. */
import { proxyHeader } from "../support/auth-proxy-harness";
import { untilGone } from "./fixture/answer";
import { describeOnNodes } from "./fixture/describe-attack";

const changed = (at: number, byte: number) => {
  const header = proxyHeader();
  header.writeUInt8(byte, at);
  return header;
};

describeOnNodes("a PROXY header with one byte changed", (proxy) => {
  it.each([
    ["in its first words", changed(3, 0x0b)],
    ["at the end of its signature", changed(11, 0x0b)],
    ["to version 1", changed(12, 0x10)],
    ["to a command that names an address", changed(12, 0x21)],
    ["to an address family", changed(13, 0x11)],
    ["to a value longer than all", changed(18, 0xff)],
  ])(
    "is none: %s",
    async (_, header) => {
      const socket = await proxy.connectRaw();
      socket.write(header);
      // Long before anybody would give up waiting for TLS.
      await untilGone(socket);
      expect(proxy.sent()).toHaveLength(0);
    },
    3_000,
  );
});
