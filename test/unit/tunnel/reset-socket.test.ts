import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { endedByReset, resetSocket } from "../../../src/tunnel/reset-socket";
import { Outside } from "./outside";
import { turns, until } from "./session-pair";

describe("resetting a socket", () => {
  async function tcpPair(): Promise<{ inside: Socket; outside: Outside; close: () => void }> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    const [inside] = (await once(server, "connection")) as [Socket];
    inside.on("error", () => undefined);
    return { inside, outside: new Outside(socket), close: () => server.close() };
  }

  it("while its FIN is being sent does not leak it", async () => {
    const { inside, outside, close } = await tcpPair();
    inside.end();
    expect([inside.writableEnded, inside.writableFinished]).toEqual([true, false]);
    resetSocket(inside);
    await once(inside, "close");
    outside.socket.on("end", () => outside.socket.write("still there?"));
    await until(() => outside.events.includes("close"));
    expect(outside.events.some((event) => event === "EPIPE" || event === "ECONNRESET")).toBe(true);
    close();
  });

  it("does not wait for bytes that nobody reads", async () => {
    const { inside, outside, close } = await tcpPair();
    outside.socket.pause();
    inside.end(Buffer.alloc(20_000_000));
    await turns(5);
    expect(inside.writableLength).toBeGreaterThan(0);
    resetSocket(inside);
    await once(inside, "close");
    outside.socket.destroy();
    close();
  });

  it("twice, or after its end, is nothing", async () => {
    const { inside, outside, close } = await tcpPair();
    resetSocket(inside);
    resetSocket(inside);
    await once(inside, "close");
    resetSocket(inside);
    expect(endedByReset(inside)).toBe(false);
    outside.socket.destroy();
    close();
  });
});
