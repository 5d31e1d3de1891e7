import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { TLSSocket } from "node:tls";
import type { ConnectionServer } from "./connection-server";
import { closeWhenIdle, dropWithoutPreface, endTogether } from "./http2-session-end";
import { http2Exchange } from "./exchange";
import type { Pipeline } from "./pipeline";
import type { StreamOrigin } from "./proxy-header";
import type { AuthProxyLimits } from "./settings";

/** A server without TLS of its own: it is given sockets on which TLS, and ALPN, are done. */
export function createHttp2Server(pipeline: Pipeline, limits: AuthProxyLimits): ConnectionServer {
  const sessions = new Map<ServerHttp2Session, StreamOrigin>();
  let arriving: { readonly socket: TLSSocket; readonly origin: StreamOrigin } | undefined;
  const server = createServer({
    maxSessionMemory: limits.http2SessionMiB,
    maxHeaderListPairs: limits.headers,
    settings: {
      maxConcurrentStreams: limits.http2Streams,
      maxHeaderListSize: limits.http2HeaderBytes,
      initialWindowSize: limits.http2StreamWindowBytes,
      enablePush: false,
    },
  });
  server
    .on("session", (session) => {
      if (arriving === undefined) return session.destroy();
      const { socket, origin } = arriving;
      sessions.set(session, origin);
      socket.once("close", () => sessions.delete(session));
      endTogether(session, socket, limits.lingerMs);
      dropWithoutPreface(session, socket, limits.headersTimeoutMs);
      closeWhenIdle(session, limits.keepAliveTimeoutMs, limits.lingerMs);
      session.setLocalWindowSize(limits.http2SessionWindowBytes);
      session.on("error", () => session.destroy());
    })
    .on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        // Its "close" follows, and that is what is acted upon.
        stream.on("error", () => undefined);
        const origin = (stream.session && sessions.get(stream.session as ServerHttp2Session)) ?? {};
        const expectsContinue = headers.expect?.toLowerCase() === "100-continue";
        void pipeline.handle(http2Exchange(stream, headers, raw, { origin, expectsContinue }));
      },
    );
  return {
    serve(socket, origin) {
      // The session is made, and announced, within emit().
      arriving = { socket, origin };
      server.emit("connection", socket);
    },
    drain() {
      for (const session of sessions.keys()) session.close();
    },
    close() {
      for (const session of sessions.keys()) session.destroy();
    },
  };
}
