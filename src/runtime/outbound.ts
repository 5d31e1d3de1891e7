/**
 * How this machine reaches others: through the proxy that HTTPS_PROXY / NO_PROXY name, trusting the system's
 * CAs or a private one instead.
 */
import { Agent as HttpAgent, type ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";

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

/** The private CA is for the destination; the proxy's own certificate stays under the system's trust. */
class TrustingProxyAgent extends HttpsProxyAgent<string> {
  constructor(
    proxy: string,
    private readonly trust: { ca?: string },
  ) {
    super(proxy);
  }

  override connect(request: ClientRequest, options: ConnectOptions): Promise<Socket> {
    return super.connect(request, { ...options, ...this.trust } as ConnectOptions);
  }
}
