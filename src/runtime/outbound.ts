/**
 * How this machine reaches others: through the proxy that HTTPS_PROXY / NO_PROXY name, trusting the system's
 * CAs or a private one instead.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";

export interface OutboundOptions {
  /** PEM of the CAs to trust at the destination instead of the system's. */
  readonly caPem?: string | undefined;
}

/** An agent for one request to `url` (http, https, ws, wss). WebSocket addresses follow the proxy of their HTTP twin. */
export function createOutboundAgent(url: URL, options: OutboundOptions = {}): HttpAgent {
  const twin = new URL(url);
  twin.protocol = url.protocol === "wss:" || url.protocol === "https:" ? "https:" : "http:";
  const proxy = getProxyForUrl(twin.href);
  const tls = options.caPem === undefined ? {} : { ca: options.caPem };
  if (proxy !== "") return new HttpsProxyAgent(proxy, tls) as unknown as HttpAgent;
  return twin.protocol === "https:" ? new HttpsAgent(tls) : new HttpAgent();
}
