/** Everything that a real installation has: issuer, Kubernetes, relay, auth proxy, agent, each as its own process. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { createResponderCertificate } from "../client-proxy/responder-certificate";
import { startChild, type Child } from "./child";
import { demoClaims } from "./issuer";

export const cluster = "plant-7";

export interface InstallationOptions {
  readonly folder: string;
  readonly cli: string;
  /** Of a real cluster, instead of the embedded API. */
  readonly kubeconfig: string | undefined;
  readonly onStarted: (child: Child) => void;
  readonly signal: AbortSignal;
}

export interface Installation {
  readonly issuerUrl: string;
  readonly issuerCaFile: string;
  readonly requestToken: string;
  readonly relayUrl: string;
  readonly relayCaPem: string;
  readonly clusterCaPin: string;
  /** Every address that its parts listen on. */
  readonly addresses: readonly string[];
}

export async function install(options: InstallationOptions): Promise<Installation> {
  const { folder, cli, onStarted, signal } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const start = async (name: string, args: readonly string[]) => {
    const child = await startChild(name, cli, args, signal);
    onStarted(child);
    return child;
  };
  const startProcess = (name: string, command: string, settings: object) => {
    const config = write(`${command}.yaml`, stringify(settings));
    return start(name, [command, "--config", config, "--log-format", "json"]);
  };
  const requestToken = randomBytes(24).toString("hex");
  write("request.token", requestToken);
  const ownToken = write("kubernetes.token", randomBytes(24).toString("hex"));
  const issuerChild = await start("issuer", ["demo-issuer", folder]);
  const issuerCaFile = join(folder, "issuer.ca.pem");
  const issuer = {
    url: String(issuerChild.ready["url"]),
    certificateAuthority: readFileSync(issuerCaFile, "utf8"),
  };
  const apiserver = await startApiserver(options, ownToken, start);
  const certificate = await createResponderCertificate("localhost");
  const relayUrl = `https://127.0.0.1:${String(await freePort())}`;
  const files = {
    certFile: write("relay.crt", certificate.certPem),
    keyFile: write("relay.key", certificate.keyPem),
    caFile: write("relay.ca.pem", certificate.caPem),
    agentKeyFile: write("agent.key", randomBytes(32).toString("base64")),
    socket: join(folder, "api.sock"),
    tlsDirectory: join(folder, "tls"),
  };
  await startProcess("relay", "relay", relaySettings(relayUrl, issuer, files));
  const authProxy = await startProcess(
    "auth proxy",
    "auth-proxy",
    authProxySettings(apiserver, issuer, files),
  );
  await startProcess("agent", "agent", agentSettings(relayUrl, files));
  const [clusterCaPin = ""] = authProxy.ready["caPins"] as string[];
  const own = "url" in apiserver ? [String(apiserver["url"])] : [];
  return {
    issuerUrl: issuer.url,
    issuerCaFile,
    requestToken,
    relayUrl,
    relayCaPem: certificate.caPem,
    clusterCaPin,
    addresses: [issuer.url, relayUrl, ...own],
  };
}

interface Files {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly agentKeyFile: string;
  readonly socket: string;
  readonly tlsDirectory: string;
}

interface IssuerEntry {
  readonly url: string;
  readonly certificateAuthority: string;
}

const relaySettings = (
  relayUrl: string,
  issuer: IssuerEntry,
  { certFile, keyFile, agentKeyFile }: Files,
) => ({
  publicUrl: relayUrl,
  listen: { host: "127.0.0.1", port: Number(new URL(relayUrl).port) },
  tls: { certFile, keyFile },
  issuers: [{ issuer }],
  clusters: [
    {
      name: cluster,
      agents: { keys: [{ name: "agent", keyFile: agentKeyFile }] },
      clients: { allow: [{ issuer: issuer.url, claims: { repository_id: demoClaims.repository_id } }] },
    },
  ],
});

const authProxySettings = (apiserver: object, issuer: IssuerEntry, { socket, tlsDirectory }: Files) => ({
  cluster,
  listen: { socket },
  apiserver,
  tls: { directory: tlsDirectory },
  authentication: {
    jwt: [
      {
        issuer: { ...issuer, audiences: [`cluster-connect/${cluster}`] },
        claimMappings: { username: { claim: "sub", prefix: "github:" } },
      },
    ],
  },
});

const agentSettings = (relayUrl: string, { caFile, agentKeyFile, socket }: Files) => ({
  relay: { url: relayUrl, cluster, caFile, credential: { keyName: "agent", keyFile: agentKeyFile } },
  target: { socket },
});

async function startApiserver(
  { folder, kubeconfig }: InstallationOptions,
  tokenFile: string,
  start: (name: string, args: readonly string[]) => Promise<Child>,
): Promise<Record<string, unknown>> {
  if (kubeconfig !== undefined) return { kubeconfig };
  const kubernetes = await start("Kubernetes", ["demo-kubernetes", folder]);
  return { url: kubernetes.ready["url"], caFile: join(folder, "kubernetes.ca.pem"), tokenFile };
}

/** The relay's public address holds its port, so that has to be known before it starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
