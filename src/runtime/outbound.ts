/**
 * How this machine reaches others: through the proxy that HTTPS_PROXY / NO_PROXY name, trusting the system's
 * CAs or a private one instead.
 */
import { Agent as HttpAgent, type ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";
import { ClusterConnectError, messageOf, type ErrorCode } from "./errors";

type ConnectOptions = Parameters<HttpsProxyAgent<string>["connect"]>[1];

export interface OutboundOptions {
  /** PEM of the CAs to trust at the destination instead of the system's. */
  readonly caPem?: string | undefined;
}

/**
 * An agent for requests to the origin of `url` (http, https, ws, wss). WebSocket addresses follow the proxy of
 * their HTTP twin. It keeps no connection, so nothing has to be destroyed afterwards.
 */
export function createOutboundAgent(url: URL, options: OutboundOptions = {}): HttpAgent {
  const secure = url.protocol === "wss:" || url.protocol === "https:";
  const twin = url.href.replace(/^\w+:/, secure ? "https:" : "http:");
  const proxy = getProxyForUrl(twin);
  const trust = options.caPem === undefined ? {} : { ca: options.caPem };
  if (proxy !== "") return new TrustingProxyAgent(proxy, trust);
  return secure ? new HttpsAgent(trust) : new HttpAgent();
}

/**
 * The private CA is for the destination; the proxy's own certificate stays under the system's trust. What the proxy
 * answers instead of a connection is told as the proxy's: taken for the destination's, its 403 would blame the relay.
 * Fails with ERR_OUTBOUND_PROXY_REFUSED or ERR_OUTBOUND_PROXY_FAILED.
 */
class TrustingProxyAgent extends HttpsProxyAgent<string> {
  constructor(
    proxy: string,
    private readonly trust: { ca?: string },
  ) {
    super(proxy);
    this.on("proxyConnect", ({ statusCode, statusText }: { statusCode: number; statusText: string }) => {
      if (statusCode === 200) return;
      throw this.#failure(refusals.has(statusCode), `${String(statusCode)} ${statusText}`.trim());
    });
  }

  override async connect(request: ClientRequest, options: ConnectOptions): Promise<Socket> {
    const { host = "", servername = "" } = options as { host?: string; servername?: string };
    // Node checks a certificate against the name that TLS was begun with, which for an IP address is none: over a
    // socket that is connected already it would take "localhost" for the destination.
    const identity = (_name: string, certificate: PeerCertificate) =>
      checkServerIdentity(servername === "" ? host : servername, certificate);
    try {
      return await super.connect(request, {
        ...options,
        ...this.trust,
        checkServerIdentity: identity,
      } as ConnectOptions);
    } catch (error) {
      throw error instanceof ClusterConnectError ? error : this.#failure(false, messageOf(error), error);
    }
  }

  /** Named by host and port alone: the URL may hold a password. */
  #failure(isRefusal: boolean, reason: string, cause?: unknown): ClusterConnectError {
    const code: ErrorCode = isRefusal ? "ERR_OUTBOUND_PROXY_REFUSED" : "ERR_OUTBOUND_PROXY_FAILED";
    return new ClusterConnectError(code, `${this.proxy.host}: ${reason}`, { cause });
  }
}

/** RFC 9110 §15.5: who asks, or for what, is not to the proxy's liking; anything else may pass. */
const refusals: ReadonlySet<number> = new Set([401, 403, 407]);
