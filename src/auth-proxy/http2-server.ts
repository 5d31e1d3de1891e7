import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { ConnectionServer } from "./connection-server";
import { http2Exchange } from "./exchange";
import type { Pipeline } from "./pipeline";
import type { StreamOrigin } from "./proxy-header";
import type { AuthProxyLimits } from "./settings";

/** A server without TLS of its own: it is given sockets on which TLS, and ALPN, are done. */
export function createHttp2Server(pipeline: Pipeline, limits: AuthProxyLimits): ConnectionServer {
  const sessions = new Map<ServerHttp2Session, StreamOrigin>();
  let arriving: StreamOrigin = {};
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
      sessions.set(session, arriving);
      session.setLocalWindowSize(limits.http2SessionWindowBytes);
      session.on("error", () => session.destroy()).once("close", () => sessions.delete(session));
      closeWhenIdle(session, limits.keepAliveTimeoutMs);
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
      arriving = origin;
      // It may stay half open for HTTP/1.1's sake, and so Node's session never notices that its peer has ended:
      // whatever the caller has left, a watch too, would be kept going for nobody.
      socket.once("end", () => socket.destroy());
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

/** As HTTP/1.1's keep-alive: a session with a quiet watch on it is not idle. */
function closeWhenIdle(session: ServerHttp2Session, ms: number): void {
  let open = 0;
  session.on("stream", (stream) => {
    open += 1;
    stream.once("close", () => (open -= 1));
  });
  session.setTimeout(ms, () => {
    if (open === 0) session.close();
  });
}
