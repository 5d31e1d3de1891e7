import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { SocketStream } from "../../../src/client-proxy/socket-stream";
import { splice, type SpliceEnd } from "../../../src/tunnel/splice";

const record = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([23, 3, 3, body.length >> 8, body.length & 255]), body]);
/** As TLS 1.3 shows it: an alert of two bytes, its type and a tag. */
const closeNotify = record(Buffer.alloc(19));
const bytesOf = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: Math.ceil(count / 16_384) }, () => record(Buffer.alloc(16_384, 7))));

describe("a connection to a process on this machine, as a stream", () => {
  let target: Server;
  let port: number;
  let front: Server;
  let accepted: Socket[];
  let ends: Promise<SpliceEnd>[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    accepted = [];
    ends = [];
    target = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      socket.on("error", () => undefined);
    });
    front = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      const stream = new SocketStream({ id: 1, port });
      ends.push(splice(socket, stream, { keepFirstBytes: true }));
    });
    for (const server of [target, front]) await once(server.listen(0, "127.0.0.1"), "listening");
    ({ port } = target.address() as AddressInfo);
  });
  afterEach(() => {
    for (const socket of [...clients.splice(0), ...accepted]) socket.destroy();
    target.close();
    front.close();
  });

  async function dial() {
    const client = connect({
      port: (front.address() as AddressInfo).port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    clients.push(client);
    const over = new Promise<string>((resolve) => {
      client
        .on("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? ""))
        .on("end", () => resolve("ended"));
    });
    client.resume();
    client.write("hello");
    await once(target, "connection");
    const far = accepted.at(-1)!;
    expect(String((await once(far, "data"))[0])).toBe("hello");
    return { client, far, over };
  }

  it("carries bytes both ways, as many as there are, and ends of either direction apart", async () => {
    const { client, far, over } = await dial();
    const bytes = Buffer.concat([bytesOf(5_000_000), closeNotify]);
    let received = 0;
    client.on("data", (chunk: Buffer) => (received += chunk.length));
    far.end(bytes);
    expect(await over).toBe("ended");
    expect(received).toBe(bytes.length);
    client.end("last words");
    let heard = "";
    for await (const chunk of far) heard += String(chunk);
    expect(heard).toBe("last words");
    expect(await ends[0]).toMatchObject({ outcome: "ended", bytesToSocket: bytes.length });
  });

  it("does not read on while the other end does not", async () => {
    const { client, far } = await dial();
    client.pause();
    // More than all the kernel's buffers on the way together.
    far.write(Buffer.alloc(100_000_000));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(far.writableLength).toBeGreaterThan(0);
    client.resume();
    await once(far, "drain");
  });

  it("is reset when the far end is", async () => {
    const { client, far, over } = await dial();
    far.write(record(Buffer.from("answer")));
    await once(client, "data");
    far.resetAndDestroy();
    expect(await over).toBe("ECONNRESET");
    expect(await ends[0]).toMatchObject({ outcome: "lost", lostSide: "stream", code: "lost" });
  });

  it.each([
    ["between two records", record(Buffer.from("half of an answer"))],
    ["in the middle of one", record(Buffer.from("half of an answer")).subarray(0, 12)],
    ["in the middle of its end", closeNotify.subarray(0, 20)],
  ])(
    "is reset, not ended, when the process behind it dies %s, which TCP shows as an end",
    async (_, bytes) => {
      const { client, far, over } = await dial();
      far.write(bytes);
      await once(client, "data");
      far.end();
      expect(await over).toBe("ECONNRESET");
      expect(await ends[0]).toMatchObject({ outcome: "lost", lostSide: "stream", afterEnd: false });
    },
  );

  it("has lost nothing when the far end has said that it is done, and does not want to hear the rest", async () => {
    const { client, far, over } = await dial();
    far.write(Buffer.concat([record(Buffer.from("answer")), closeNotify]));
    await once(client, "data");
    // As a server does that closes its socket and is still written to: the kernel answers with a reset.
    far.resetAndDestroy();
    expect(await over).toBe("ended");
    client.write("last words");
    client.end("and more of them");
    expect(await ends[0]).toMatchObject({ outcome: "ended" });
  });

  it("resets the far end when the caller is", async () => {
    const { client, far } = await dial();
    const failed = new Promise((resolve) => far.once("close", resolve));
    client.resetAndDestroy();
    await failed;
    expect(await ends[0]).toMatchObject({ outcome: "lost", lostSide: "socket" });
  });

  it("gives the connection back, with its first bytes, when nobody listens or nobody has answered", async () => {
    const { far } = await dial();
    far.resetAndDestroy();
    expect(await ends[0]).toMatchObject({ outcome: "unanswered", firstBytes: [Buffer.from("hello")] });
    target.close();
    await once(target, "close");
    const client = connect((front.address() as AddressInfo).port, "127.0.0.1");
    clients.push(client);
    client.write("hello");
    await once(client, "connect");
    while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(await ends[1]).toMatchObject({ outcome: "unanswered", code: "targetUnreachable" });
  });
});
