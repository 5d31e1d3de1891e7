import type { ConnectionServer } from "./connection-server";
import { createHttp1Server } from "./http1-server";
import { createHttp2Server } from "./http2-server";
import type { Pipeline } from "./pipeline";
import type { AuthProxyLimits } from "./settings";

/** HTTP/2 for those who have negotiated it, HTTP/1.1 for all others. */
export function createConnectionServer(pipeline: Pipeline, limits: AuthProxyLimits): ConnectionServer {
  const http1 = createHttp1Server(pipeline, limits);
  const http2 = createHttp2Server(pipeline, limits);
  return {
    serve: (socket, origin) => (socket.alpnProtocol === "h2" ? http2 : http1).serve(socket, origin),
    drain() {
      http1.drain();
      http2.drain();
    },
    close() {
      http1.close();
      http2.close();
    },
  };
}
