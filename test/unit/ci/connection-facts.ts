import type { ConnectionFacts, ControlStatus } from "../../../src/client-proxy/control";

export const connectionFacts: ConnectionFacts = {
  server: "https://127.0.0.1:40123",
  kubeconfigPath: "/nowhere/kubeconfig",
  contextName: "plant-7",
  identity: "github:octo/app:production",
  groups: [],
  serverVersion: "v1.36.3",
  caPins: [`sha256:${"a".repeat(64)}`],
  caPinned: true,
  hasRights: true,
  timingsMs: { token: 120, session: 200, proof: 350, kubeconfig: 3, total: 673 },
};

export const readyStatus = (
  connection: Partial<ConnectionFacts> = {},
  statistics: Partial<ControlStatus["statistics"]> = {},
): ControlStatus => ({
  phase: "ready",
  connection: { ...connectionFacts, ...connection },
  statistics: {
    streams: 0,
    bytesToCluster: 0,
    bytesFromCluster: 0,
    lostStreams: 0,
    answeredLocally: 0,
    linksLost: 0,
    ...statistics,
  },
});
