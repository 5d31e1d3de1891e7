import { chmodSync, rmSync } from "node:fs";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { TLSSocket, type SecureContext } from "node:tls";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { rememberUnderlying } from "./abort-socket";
import type { ConnectionServer } from "./connection-server";
import { readProxyHeader } from "./proxy-header";
import type { AuthProxyLimits, AuthProxySettings } from "./settings";
import { dropWhenStuck } from "./stuck-write";

export interface FrontDoorOptions {
  readonly listen: AuthProxySettings["listen"];
  readonly limits: AuthProxyLimits;
  /** The leaf in use; asked for each connection, so that a new leaf needs no restart. */
  readonly secureContext: () => SecureContext;
  readonly server: ConnectionServer;
  readonly logger: Logger;
  readonly onConnections: (open: number) => void;
}

/**
 * Takes connections: PROXY header, then TLS on that very socket, then HTTP/1.1 or HTTP/2 by ALPN. The two have
 * servers of their own, because Node's server for both does not keep a header bound over HTTP/1.1.
 */
export class FrontDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #handshakes = 0;

  constructor(private readonly options: FrontDoorOptions) {
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 },
      (socket) => this.#take(socket),
    );
    this.#server.maxConnections = options.limits.connections;
  }

  /** Returns the port, or undefined on a unix socket. Throws ERR_AUTH_PROXY_LISTEN. */
  async listen(): Promise<number | undefined> {
    const { listen } = this.options;
    try {
      if ("socket" in listen) {
        await removeStaleSocket(listen.socket);
        this.#server.listen(listen.socket);
        await once(this.#server, "listening");
        chmodSync(listen.socket, Number.parseInt(listen.mode, 8));
        return undefined;
      }
      this.#server.listen(listen.port, listen.host);
      await once(this.#server, "listening");
      return (this.#server.address() as AddressInfo).port;
    } catch (error) {
      throw new ClusterConnectError("ERR_AUTH_PROXY_LISTEN", messageOf(error), { cause: error });
    }
  }

  /** Takes no more connections; the ones there are go on. */
  stopListening(): void {
    this.#server.close();
  }

  /** Drops every connection that is left. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    const { limits, logger } = this.options;
    if (this.#handshakes >= limits.handshakes) {
      logger.warn("connection.refused", { reason: "too many handshakes", limit: limits.handshakes });
      return void socket.destroy();
    }
    this.#handshakes += 1;
    this.#sockets.add(socket);
    this.options.onConnections(this.#sockets.size);
    socket
      .on("error", () => undefined)
      .once("close", () => {
        this.#sockets.delete(socket);
        this.options.onConnections(this.#sockets.size);
      });
    this.#admit(socket)
      .catch((error: unknown) => {
        // Agents connect now and then only to see that somebody is there.
        const level = socket.bytesRead === 0 ? "debug" : "warn";
        logger[level]("connection.refused", { reason: messageOf(error) });
        socket.destroy();
      })
      .finally(() => (this.#handshakes -= 1));
  }

  async #admit(socket: Socket): Promise<void> {
    const { listen, limits, server } = this.options;
    const hasHeader = "socket" in listen || listen.proxyHeader;
    const origin = hasHeader ? await readProxyHeader(socket, limits) : {};
    const secure = await this.#handshake(socket);
    rememberUnderlying(secure, socket);
    dropWhenStuck(secure, limits.lingerMs);
    server.serve(secure, origin);
  }

  #handshake(socket: Socket): Promise<TLSSocket> {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.options.secureContext(),
      ALPNProtocols: ["h2", "http/1.1"],
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => secure.destroy(new Error("TLS handshake not finished in time")),
        this.options.limits.tlsHandshakeTimeoutMs,
      );
      secure.once("close", () => reject(new Error("closed during the TLS handshake")));
      // The socket may stay half open, for HTTP/1.1's sake: who ends it now has gone all the same.
      const onEnd = () => secure.destroy(new Error("ended during the TLS handshake"));
      secure.once("end", onEnd).once("secure", () => secure.off("end", onEnd));
      secure.on("error", reject);
      secure.once("secure", () => {
        // As tls.Server does for sockets that it makes itself; HTTP/2 would wait for the handshake again.
        Object.assign(secure, { secureConnecting: false });
        resolve(secure);
      });
      secure.once("secure", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
    });
  }
}

/** A socket file that a killed process left behind; one that answers is somebody else's. */
async function removeStaleSocket(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") rmSync(path);
    return;
  } finally {
    probe.destroy();
  }
  throw new Error(`another process listens on ${path}`);
}
