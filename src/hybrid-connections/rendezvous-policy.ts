/**
 * Where a listener may be sent. The address in an `accept` message comes from the relay, and a hostile one could
 * name anything that the cluster's network reaches.
 */
export interface RendezvousPolicy {
  readonly relayUrl: URL;
  /** Host names, or suffixes that begin with a dot, beside the relay's own host. */
  readonly allowedHosts: readonly string[];
}

/** Whether `address` is a WebSocket address, as secure as the relay's own, on an allowed host and action. */
export function isAllowedRendezvous(address: string, policy: RendezvousPolicy): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  const expected =
    policy.relayUrl.protocol === "https:" || policy.relayUrl.protocol === "wss:" ? "wss:" : "ws:";
  if (url.protocol !== expected || url.username !== "" || url.password !== "" || url.hash !== "")
    return false;
  if (!url.pathname.startsWith("/$hc/") || url.search === "") return false;
  // The port of another host is free to differ (Azure's gateways use 443); on the relay's own host it is not.
  if (url.hostname === policy.relayUrl.hostname) return portOf(url) === portOf(policy.relayUrl);
  return policy.allowedHosts.some((allowed) => {
    const host = allowed.toLowerCase();
    return host.startsWith(".") ? url.hostname.endsWith(host) : url.hostname === host;
  });
}

const portOf = (url: URL): string =>
  url.port !== "" ? url.port : url.protocol === "wss:" || url.protocol === "https:" ? "443" : "80";
