import { stringify } from "yaml";
import { createTestCertificate } from "../../test/support/certificate";
import { freePort } from "../../test/support/free-port";
import { startBundle } from "../measure/started-process";
import type { Path } from "./path";
import type { Stage } from "./stage";
import { cluster } from "./target";

const agentKey = "a".repeat(44);
const clientKey = "c".repeat(44);
/** For a thousand watches through one session; the default is half of that. */
const maxStreams = 1_024;
const heldBytes = 2 * 67_108_864;

/** The shipped relay, agent and client proxy; the agent's target is the TLS server itself. */
export async function startTunnel(stage: Stage, direct: Path): Promise<Path> {
  const { relayConfig, relayUrl } = await configureRelay(stage);
  const relay = await stage.start(startBundle(["relay", "--config", relayConfig]));
  const agent = await stage.start(
    startBundle([
      "agent",
      "--config",
      stage.write(
        "agent.yaml",
        stringify({
          relay: relayOf(stage, relayUrl),
          limits: { streamsPerSession: maxStreams, sessionHeldBytes: heldBytes },
          target: {
            host: "127.0.0.1",
            port: direct.endpoint.port,
            caFile: stage.write("target.ca.pem", direct.endpoint.caPem),
          },
        }),
      ),
    ]),
  );
  const clientProxy = await startClientProxy(stage, relayUrl, "opaque-token");
  return {
    name: "tunnel",
    endpoint: { ...direct.endpoint, port: Number(clientProxy.ready["port"]) },
    processes: { "client proxy": clientProxy, relay, agent },
  };
}

/** Writes the relay's configuration with one key for agents and one for clients. */
export async function configureRelay(stage: Stage): Promise<{ relayConfig: string; relayUrl: string }> {
  const certificate = await createTestCertificate();
  const port = await freePort();
  const relayUrl = `https://127.0.0.1:${String(port)}`;
  stage.write("relay.ca.pem", certificate.caPem);
  const relayConfig = stage.write(
    "relay.yaml",
    stringify({
      publicUrl: relayUrl,
      listen: { host: "127.0.0.1", port },
      tls: {
        certFile: stage.write("relay.crt", certificate.certPem),
        keyFile: stage.write("relay.key", certificate.keyPem),
      },
      clusters: [
        {
          name: cluster,
          agents: { keys: [{ name: "agent", keyFile: stage.write("agent.key", agentKey) }] },
          clients: { keys: [{ name: "client", keyFile: stage.write("client.key", clientKey) }] },
        },
      ],
    }),
  );
  return { relayConfig, relayUrl };
}

/** The agent's `relay` settings. */
export const relayOf = (stage: Stage, relayUrl: string) => ({
  url: relayUrl,
  cluster,
  caFile: stage.file("relay.ca.pem"),
  credential: { keyName: "agent", keyFile: stage.file("agent.key") },
});

export function startClientProxy(stage: Stage, relayUrl: string, token: string) {
  const flags = {
    "--relay-url": relayUrl,
    "--cluster": cluster,
    "--relay-ca": stage.file("relay.ca.pem"),
    "--relay-key-name": "client",
    "--relay-key-file": stage.file("client.key"),
    "--max-streams": String(maxStreams),
    "--token-file": stage.write("cluster.token", token),
  };
  return stage.start(startBundle(["proxy", ...Object.entries(flags).flat()]));
}
