import { stringify } from "yaml";
import { startIssuer } from "../../test/support/issuer";
import { startBundle } from "../measure/started-process";
import { caOf } from "./kubeconfig";
import type { Path } from "./path";
import { cluster } from "./relay";
import type { Stage } from "./stage";
import { startProcesses } from "./tunnel";

const tokenLifetimeSeconds = 3_600;

/** The whole way into a cluster: the auth proxy ends the caller's TLS, and opens its own to the target. */
export async function startTunnelWithAuthProxy(stage: Stage, direct: Path): Promise<Path> {
  const issuer = await startIssuer({ tls: true });
  stage.onClose(() => issuer.close());
  const audiences = [`cluster-connect/${cluster}`];
  const configuration = stringify({
    cluster,
    listen: { socket: stage.file("api.sock") },
    apiserver: {
      url: `https://127.0.0.1:${String(direct.endpoint.port)}`,
      caFile: stage.write("apiserver.ca.pem", direct.endpoint.caPem),
      tokenFile: stage.write("apiserver.token", "own-token"),
    },
    tls: { directory: stage.file("tls") },
    authentication: {
      jwt: [
        {
          issuer: { url: issuer.url, certificateAuthority: issuer.caPem, audiences },
          claimMappings: { username: { claim: "sub", prefix: "bench:" } },
        },
      ],
    },
  });
  const file = stage.write("auth-proxy.yaml", configuration);
  const authProxy = await stage.start(startBundle(["auth-proxy", "--config", file]));
  const token = await issuer.mint({}, { lifetimeSeconds: tokenLifetimeSeconds });
  const { processes } = await startProcesses(stage, { socket: stage.file("api.sock") }, token);
  const { port, kubeconfig } = processes["client proxy"].ready;
  return {
    name: "tunnel with auth proxy",
    endpoint: {
      port: Number(port),
      caPem: caOf(String(kubeconfig)),
      serverName: direct.endpoint.serverName,
      headers: { Authorization: `Bearer ${token}` },
    },
    processes: { ...processes, "auth proxy": authProxy },
  };
}
