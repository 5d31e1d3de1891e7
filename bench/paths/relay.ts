import { stringify } from "yaml";
import { createTestCertificate } from "../../test/support/certificate";
import { fixedPort } from "./fixed-port";
import type { Stage } from "./stage";

export const cluster = "plant-7";
export const agentKey = "a".repeat(44);
const clientKey = "c".repeat(44);

/** Writes the configuration of a relay over TLS with one key for all agents and one for all clients. */
export async function configureRelay(
  stage: Stage,
  clusters: readonly string[] = [cluster],
): Promise<{ relayConfig: string; relayUrl: string }> {
  const certificate = await createTestCertificate();
  const port = await fixedPort();
  const relayUrl = `https://127.0.0.1:${String(port)}`;
  stage.write("relay.ca.pem", certificate.caPem);
  const agents = { keys: [{ name: "agent", keyFile: stage.write("agent.key", agentKey) }] };
  const clients = { keys: [{ name: "client", keyFile: stage.write("client.key", clientKey) }] };
  const relayConfig = stage.write(
    "relay.yaml",
    stringify(
      {
        publicUrl: relayUrl,
        listen: { host: "127.0.0.1", port },
        tls: {
          certFile: stage.write("relay.crt", certificate.certPem),
          keyFile: stage.write("relay.key", certificate.keyPem),
        },
        clusters: clusters.map((name) => ({ name, agents, clients })),
      },
      { aliasDuplicateObjects: false },
    ),
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
