import type { TLSSocket } from "node:tls";
import type { StreamOrigin } from "./proxy-header";

/** Serves HTTP on connections that somebody else has accepted. */
export interface ConnectionServer {
  /** Serves a connection whose TLS handshake is done. */
  serve(socket: TLSSocket, origin: StreamOrigin): void;
  /** Tells clients to come back on another connection; what is under way goes on. */
  drain(): void;
  close(): void;
}
