/** Over TCP a loss is a reset: an end would be taken for the answer's, and who resets must not take others along. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { proxyHeader } from "../support/auth-proxy-harness";
import { eventually } from "../support/eventually";
import { describeOnNodes } from "./fixture/describe-attack";
import { get, http1Text } from "./fixture/requests";

const overTcp = (withHeader: boolean) => () => ({
  listen: { host: "127.0.0.1", port: 0, proxyHeader: withHeader },
  // Far less than an idle connection may live.
  limits: { lingerMs: 300, uploadDrainMs: 300, headersTimeoutMs: 2_000 },
});

describe.each([
  ["behind an agent, whose PROXY header comes first", true],
  ["directly, without a PROXY header", false],
])("%s", (_, withHeader) => {
  describeOnNodes(
    "over TCP",
    (proxy) => {
      const header = withHeader ? proxyHeader() : Buffer.alloc(0);
      /** Up to the beginning of a ClientHello. */
      const firstBytes = Buffer.concat([header, Buffer.from("160301020001000000000000", "hex")]);
      const send = async (kind: typeof get) => {
        const socket = await proxy.connect("http/1.1", header);
        socket.write(http1Text(kind, [], { authorization: proxy.caller.authorization }));
        return socket;
      };
      /** How a connection ends for whoever reads it. */
      const endOf = (socket: Socket) =>
        new Promise<string>((resolve) => {
          socket.once("end", () => resolve("an end")).once("close", () => resolve("closed"));
          socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "")).resume();
        });

      it("an answer that is lost half-way is no end", async () => {
        let lose: () => void = () => undefined;
        proxy.apiserver.handle = (request, response) => {
          response.writeHead(200).write("{");
          lose = () => request.socket.destroy();
        };
        const socket = await send(get);
        await untilRead(socket, "{");
        lose();
        expect(await endOf(socket)).toBe("ECONNRESET");
      });

      it("bytes that are no request are no reason to end a watch as if it were over", async () => {
        proxy.apiserver.handle = (_request, response) => void response.writeHead(200).write("{}\n");
        const socket = await send(get);
        await untilRead(socket, "{}\n");
        socket.write("\0\r\n\r\n");
        expect(await endOf(socket)).toBe("ECONNRESET");
      });

      it.each<[string, () => Promise<Socket>]>([
        ["at once", () => proxy.connectRaw()],
        ["in the first bytes", () => begun(proxy.connectRaw(), firstBytes.subarray(0, 9))],
        ["in TLS", () => begun(proxy.connectRaw(), firstBytes)],
        ["before a request", () => proxy.connect("http/1.1", header)],
        ["before a frame", () => proxy.connect("h2", header)],
        ["in a request", () => begun(proxy.connect("http/1.1", header), "GET /api/v1 HT")],
      ])("a caller's reset is his alone: %s", async (__, begin) => {
        const other = await proxy.connect("http/1.1", header);
        const socket = await begin();
        await eventually(() => proxy.callers() === 2);
        await proxy.reset(socket);
        await eventually(() => proxy.callers() === 1);
        other.write(http1Text(get, [], { authorization: proxy.caller.authorization }));
        await once(other, "data");
      });
    },
    overTcp(withHeader),
  );
});

/** Node as a client does not always tell of a reset that comes along with data: what is lost later is told. */
async function untilRead(socket: Socket, end: string): Promise<void> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await eventually(() => text.includes(end));
}

async function begun(connecting: Promise<Socket>, bytes: Buffer | string): Promise<Socket> {
  const socket = await connecting;
  await new Promise((resolve) => socket.write(bytes, resolve));
  return socket;
}
