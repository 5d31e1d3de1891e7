import { stringify } from "yaml";
import { startBundle, type StartedProcess } from "../measure/started-process";
import type { Path } from "./path";
import { cluster, configureRelay, relayOf } from "./relay";
import type { Stage } from "./stage";

/** For a thousand watches through one session; the default is half of that. */
const maxStreams = 1_024;
const heldBytes = 2 * 67_108_864;

export interface Tunnel extends Path {
  /** Starts the relay again after it was killed, on the same port. */
  restartRelay(): Promise<StartedProcess>;
}

/** The shipped relay, agent and client proxy; the agent's target is the TLS server itself. */
export async function startTunnel(stage: Stage, { endpoint }: Path): Promise<Tunnel> {
  const caFile = stage.write("target.ca.pem", endpoint.caPem);
  const target = { host: "127.0.0.1", port: endpoint.port, caFile };
  const { startRelay, processes } = await startProcesses(stage, target, "opaque-token");
  return {
    name: "tunnel",
    endpoint: { ...endpoint, port: Number(processes["client proxy"].ready["port"]) },
    processes,
    restartRelay: startRelay,
  };
}

/** Relay, agent with this `target`, and client proxy with this token for the cluster. */
export async function startProcesses(stage: Stage, target: object, token: string) {
  const { relayConfig, relayUrl } = await configureRelay(stage);
  const startRelay = () => stage.start(startBundle(["relay", "--config", relayConfig]));
  const relay = await startRelay();
  const limits = { streamsPerSession: maxStreams, sessionHeldBytes: heldBytes };
  const agentConfig = stage.write(
    "agent.yaml",
    stringify({ relay: relayOf(stage, relayUrl), limits, target }),
  );
  const agent = await stage.start(startBundle(["agent", "--config", agentConfig]));
  const flags = {
    "--relay-url": relayUrl,
    "--cluster": cluster,
    "--relay-ca": stage.file("relay.ca.pem"),
    "--relay-key-name": "client",
    "--relay-key-file": stage.file("client.key"),
    "--max-streams": String(maxStreams),
    "--token-file": stage.write("cluster.token", token),
  };
  const clientProxy = await stage.start(startBundle(["proxy", ...Object.entries(flags).flat()]));
  return { startRelay, processes: { "client proxy": clientProxy, relay, agent } };
}
