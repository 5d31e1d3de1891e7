/** The loopback port that kubectl talks to: each connection becomes a stream, or goes to the responder. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { asClusterConnectError, ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { resetSocket } from "../tunnel/reset-socket";
import { splice } from "../tunnel/splice";
import type { Backend, StreamOpener } from "./backend";
import type { Responder } from "./responder";
import type { Statistics } from "./statistics";

export interface LocalListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly backend: Pick<Backend, "session" | "failure">;
  readonly responder: Pick<Responder, "answer">;
  readonly statistics: Statistics;
  readonly logger: Logger;
  /** How long a connection waits for a session. */
  readonly sessionWaitMs?: number;
  /** Connections open at once, those that wait among them. */
  readonly maxConnections?: number;
}

/** What is left of a connection that no session has answered. */
interface Unanswered {
  readonly firstBytes: readonly Buffer[];
  /** Set when the session, at either end, had no room for it. */
  readonly full?: ClusterConnectError;
}

const defaultSessionWaitMs = 5_000;
const defaultMaxConnections = 2_048;
/** Sessions that one connection is offered to before it is answered here. */
const maxAttempts = 3;

export class LocalListener {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(private readonly options: LocalListenerOptions) {
    // Paused: not a byte is read before it is known where it goes. Half-open: either direction may end first.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    this.#server.maxConnections = options.maxConnections ?? defaultMaxConnections;
    this.#server.on("connection", (socket) => void this.#serve(socket));
  }

  /** Resolves with the port. Throws ERR_LOCAL_PORT. */
  async start(): Promise<number> {
    const { host, port } = this.options;
    try {
      this.#server.listen(port, host);
      await once(this.#server, "listening");
    } catch (error) {
      throw new ClusterConnectError("ERR_LOCAL_PORT", messageOf(error), { cause: error });
    }
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets what is still open: a command that has not ended must not look as if it had. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) resetSocket(socket);
  }

  async #serve(socket: Socket): Promise<void> {
    const { backend, responder, statistics, logger } = this.options;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const ignore = () => undefined;
    socket.on("error", ignore);
    let left: Unanswered = { firstBytes: [] };
    // A session that is just going away refuses the stream unread; the next attempt finds its successor.
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const session = await backend.session(this.options.sessionWaitMs ?? defaultSessionWaitMs);
      if (session === undefined || socket.destroyed) break;
      const unanswered = await this.#spliceInto(session, socket, left.firstBytes);
      if (unanswered === undefined) return;
      left = unanswered;
    }
    if (socket.destroyed) return;
    statistics.answeredLocally += 1;
    logger.info("connection.answered_locally", { code: (left.full ?? backend.failure).code });
    responder.answer(socket, left.firstBytes, left.full);
  }

  /** Returns undefined when the connection is over. */
  async #spliceInto(
    session: StreamOpener,
    socket: Socket,
    firstBytes: readonly Buffer[],
  ): Promise<Unanswered | undefined> {
    const { statistics, logger } = this.options;
    let stream;
    try {
      stream = session.open();
    } catch (error) {
      const failure = asClusterConnectError(error);
      return { firstBytes, ...(failure.code === "ERR_TUNNEL_FULL" ? { full: failure } : {}) };
    }
    statistics.streams += 1;
    const end = await splice(socket, stream, { firstBytes, keepFirstBytes: true });
    statistics.bytesToCluster += end.bytesFromSocket;
    statistics.bytesFromCluster += end.bytesToSocket;
    const { outcome, code, reason } = end;
    const isLost = outcome === "lost" && end.lostSide === "stream" && !end.afterEnd;
    if (isLost) statistics.lostStreams += 1;
    logger.info("stream.closed", { streamId: stream.id, outcome, afterEnd: end.afterEnd, code, reason });
    if (outcome !== "unanswered") return undefined;
    const full =
      code === "busy" ? new ClusterConnectError("ERR_TUNNEL_FULL", "the agent refuses more") : undefined;
    return { firstBytes: end.firstBytes ?? [], ...(full === undefined ? {} : { full }) };
  }
}
