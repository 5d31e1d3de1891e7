import { connect, type Socket } from "node:net";
import { LocalListener, type LocalListenerOptions } from "../../../src/client-proxy/local-listener";
import { createStatistics, type Statistics } from "../../../src/client-proxy/statistics";
import { ClusterConnectError } from "../../../src/runtime/errors";
import { silentLogger } from "../../../src/runtime/logger";
import type { ClientSession } from "../../../src/tunnel/session";
import { eventually } from "../../support/eventually";
import { join, Reader, type Ends } from "../tunnel/session-pair";

/** Takes what is given to it, as the responder does, and keeps it. */
class RecordingResponder {
  readonly answered: { socket: Socket; bytes: string; code: string | undefined }[] = [];
  answer(socket: Socket, firstBytes: readonly Buffer[], reason?: ClusterConnectError): void {
    this.answered.push({ socket, bytes: Buffer.concat(firstBytes).toString(), code: reason?.code });
    socket.end("answered here");
  }
}

describe("the local listener", () => {
  const listeners: LocalListener[] = [];
  const sockets: Socket[] = [];
  const sessions: ClientSession[] = [];
  let statistics: Statistics;
  let responder: RecordingResponder;
  /** What the link has to offer, and how often it was asked. */
  let offer: (ms: number) => Promise<ClientSession | undefined>;
  let waits: number[];

  beforeEach(() => {
    statistics = createStatistics();
    responder = new RecordingResponder();
    waits = [];
    offer = () => Promise.resolve(undefined);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const each of sessions.splice(0)) await each.close("the test is over");
    for (const listener of listeners.splice(0)) listener.close();
  });

  async function start(options: Partial<LocalListenerOptions> = {}): Promise<number> {
    const listener = new LocalListener({
      host: "127.0.0.1",
      port: 0,
      backend: {
        session: (ms) => {
          waits.push(ms);
          return offer(ms);
        },
        failure: new ClusterConnectError("ERR_RELAY_UNREACHABLE"),
      },
      responder,
      statistics,
      logger: silentLogger,
      ...options,
    });
    listeners.push(listener);
    return listener.start();
  }

  function dial(port: number): { socket: Socket; received: () => string; over: Promise<string> } {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(socket);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const over = new Promise<string>((resolve) => {
      socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? ""));
      socket.on("end", () => resolve("ended"));
    });
    return { socket, received: () => text, over };
  }

  /** A session to an agent that echoes, or does with each stream what it is told to. */
  function session(onStream?: (ends: Ends) => void): Ends {
    const ends = join(undefined, {
      onStream(stream) {
        if (onStream !== undefined) return onStream(ends);
        stream.attach({
          data(chunk) {
            stream.write(Buffer.from(chunk));
            stream.consumed(chunk.length);
          },
          drain: () => undefined,
          finished: () => stream.finish(),
          reset: () => undefined,
        });
      },
    });
    sessions.push(ends.client);
    offer = () => Promise.resolve(ends.client);
    return ends;
  }

  it("carries each connection as a stream, bytes untouched, both ends in order, and counts them", async () => {
    session();
    const port = await start();
    const { socket, received, over } = dial(port);
    socket.end("hello");
    expect(await over).toBe("ended");
    expect(received()).toBe("hello");
    await eventually(() => statistics.bytesFromCluster === 5);
    expect(statistics).toEqual({ ...createStatistics(), streams: 1, bytesToCluster: 5, bytesFromCluster: 5 });
  });

  it("lets a connection wait for a session at most five seconds, unless told otherwise", async () => {
    const first = dial(await start());
    await first.over;
    await dial(await start({ sessionWaitMs: 7 })).over;
    expect(waits).toEqual([5_000, 7]);
    expect(first.received()).toBe("answered here");
    expect(statistics).toMatchObject({ streams: 0, answeredLocally: 2, lostStreams: 0 });
  });

  it("hands a connection on that nobody has answered, with its first bytes, as often as there is a session", async () => {
    const ends = session(() => undefined);
    const port = await start();
    const { socket, received } = dial(port);
    socket.write("GET / HTTP/1.1");
    await eventually(() => ends.accepted.length === 1);
    const read = new Reader(ends.accepted[0]!);
    await eventually(() => read.bytes === 14);
    const next = session();
    read.stream.reset("targetUnreachable", "nobody there");
    await eventually(() => received() === "GET / HTTP/1.1");
    expect(next.accepted).toHaveLength(1);
    expect(statistics).toMatchObject({ streams: 2, lostStreams: 0, answeredLocally: 0 });
  });

  it("answers here what three sessions did not take", async () => {
    const ends = session(({ accepted }) => accepted.at(-1)!.reset("targetUnreachable", "nobody there"));
    const { socket, over } = dial(await start());
    socket.write("hello");
    await over;
    expect(ends.accepted).toHaveLength(3);
    expect(responder.answered).toMatchObject([{ bytes: "hello", code: undefined }]);
    expect(statistics).toMatchObject({ answeredLocally: 1, lostStreams: 0 });
  });

  it("says that the session is full, whichever end has no more room", async () => {
    const ends = session(({ accepted }) => accepted.at(-1)!.reset("busy", ""));
    const port = await start();
    const refusedThere = dial(port);
    await refusedThere.over;
    ends.client.open = () => {
      throw new ClusterConnectError("ERR_TUNNEL_FULL", "512 streams are open");
    };
    await dial(port).over;
    expect(responder.answered.map(({ code }) => code)).toEqual(["ERR_TUNNEL_FULL", "ERR_TUNNEL_FULL"]);
  });

  it("resets, never ends, a connection that is lost after it was answered, and counts it", async () => {
    const ends = session();
    const { socket, received, over } = dial(await start());
    socket.write("hello");
    await eventually(() => received() === "hello");
    ends.accepted[0]!.reset("lost", "gone");
    expect(await over).toBe("ECONNRESET");
    await eventually(() => statistics.lostStreams === 1);
    expect(responder.answered).toEqual([]);
  });

  it("counts no loss when the caller himself went away", async () => {
    const ends = session();
    const { socket, received } = dial(await start());
    socket.write("hello");
    await eventually(() => received() === "hello");
    socket.resetAndDestroy();
    await eventually(() => ends.client.openStreams === 0);
    await eventually(() => statistics.bytesToCluster === 5);
    expect(statistics.lostStreams).toBe(0);
  });

  it("tries the next session when the one it was given takes no more", async () => {
    const ends = session();
    await ends.client.close("over");
    const offered = [ends.client, session().client];
    offer = () => Promise.resolve(offered.shift());
    const { socket, received } = dial(await start());
    socket.write("hello");
    await eventually(() => received() === "hello");
    expect(statistics.streams).toBe(1);
  });

  it("takes no more connections at once than it is allowed", async () => {
    offer = () => new Promise(() => undefined);
    const port = await start({ maxConnections: 2 });
    dial(port);
    dial(port);
    await eventually(() => waits.length === 2);
    expect(await dial(port).over).toMatch(/ended|ECONNRESET/);
    expect(waits).toHaveLength(2);
  });

  it("resets what is open when it closes, those who wait among them, and answers none of them", async () => {
    let arrive: (session: undefined) => void = () => undefined;
    offer = () => new Promise((resolve) => (arrive = resolve));
    const { over } = dial(await start());
    await eventually(() => waits.length === 1);
    listeners[0]!.close();
    expect(await over).toBe("ECONNRESET");
    arrive(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(responder.answered).toEqual([]);
    expect(statistics.answeredLocally).toBe(0);
  });

  it("tells an address that cannot be listened on", async () => {
    const port = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: "ERR_LOCAL_PORT" });
    await expect(start({ host: "192.0.2.1" })).rejects.toMatchObject({ code: "ERR_LOCAL_PORT" });
  });
});
