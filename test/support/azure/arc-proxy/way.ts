import type { RequestOptions } from "node:https";
import type { State } from "./state";
import { accountOf, type Upstream } from "./settings";

/** How requests reach the cluster. */
export interface Way {
  connection(): Promise<RequestOptions>;
  headers(
    token: string,
    claims: Readonly<Record<string, unknown>> | undefined,
  ): Promise<Record<string, string>>;
}

export function createWay(upstream: Upstream, state: State): Way {
  if (upstream.kind === "tunnel") return createTunnel(upstream, state);
  const { hostname, port } = new URL(upstream.url);
  return {
    connection: () => Promise.resolve({ host: hostname, port, ca: upstream.caPem }),
    headers: (token, claims) =>
      Promise.resolve({
        Authorization: "Bearer own-token",
        "Impersonate-User": String(claims?.["oid"] ?? accountOf(token)),
      }),
  };
}

/** The project's own link through its relay, with the signature that Azure issued; loaded where it is needed only. */
function createTunnel(upstream: Upstream & { kind: "tunnel" }, state: State): Way {
  let port: Promise<number> | undefined;
  /** What the agent says of the cluster; who this trusts is Microsoft's own matter, and not known. */
  let learnCa: (pem: string) => void;
  const ca = new Promise<string>((resolve) => (learnCa = resolve));
  const open = async (): Promise<number> => {
    const { RelayLink } = await import("../../../../src/client-proxy/relay-link");
    const { createRelayDial } = await import("../../../../src/client-proxy/relay-dial");
    const { LocalListener } = await import("../../../../src/client-proxy/local-listener");
    const { createStatistics } = await import("../../../../src/client-proxy/statistics");
    const { silentLogger: logger } = await import("../../../../src/runtime/logger");
    const { ClusterConnectError } = await import("../../../../src/runtime/errors");
    const ignore = () => undefined;
    const link = new RelayLink({
      cluster: upstream.cluster,
      client: "arc-proxy/stand-in",
      dial: createRelayDial({
        relayUrl: new URL(upstream.relayUrl),
        cluster: upstream.cluster,
        authorization: () => Promise.resolve(state.registration?.token ?? ""),
        caPem: upstream.relayCaPem,
      }),
      logger,
      onHello: ({ caBundle }) => learnCa(caBundle),
      onFailure: ({ message }) => console.error(message),
      onLost: ignore,
    });
    link.start();
    const backend = {
      session: (ms: number) => link.session(ms),
      failure: new ClusterConnectError("ERR_TUNNEL_LOST"),
    };
    const responder = { answer: (socket: { destroy(): unknown }) => void socket.destroy() };
    const statistics = createStatistics();
    const listener = new LocalListener({
      host: "127.0.0.1",
      port: 0,
      backend,
      responder,
      statistics,
      logger,
    });
    return listener.start();
  };
  return {
    async connection() {
      const { serverNameOf } = await import("../../../../src/protocol/server-name");
      port ??= open();
      const name = serverNameOf(upstream.cluster);
      return { host: "127.0.0.1", port: await port, servername: name, ca: await ca };
    },
    headers: (token) => Promise.resolve({ Authorization: `Bearer ${token}` }),
  };
}
