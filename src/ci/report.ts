/** What main tells once the cluster has answered. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { ConnectionFacts } from "../client-proxy/control";
import { outputs, type OutputName } from "./inputs";
import { plainText } from "./plain-text";
import type { CiPlatform, PlatformLog } from "./platform";
import type { RelaySettings } from "./relay-settings";
import type { CiSettings } from "./settings";
import { nameOn } from "./system-names";

const phaseNames: Readonly<Record<string, string>> = {
  token: "Obtained the identity tokens",
  arcProxy: "Started arcProxy",
  relayCredential: "Obtained the way to the cluster's relay from Azure",
  identity: "Obtained the token for the cluster from Microsoft Entra",
  registered: "Registered both with arcProxy",
  session: "Opened a session with the cluster's agent",
  proof: "Sent a request to the cluster and got its answer",
  kubeconfig: "Wrote the kubeconfig",
};

export const seconds = (ms: number, digits = 2): string => `${(ms / 1_000).toFixed(digits)} s`;

/** One line a phase, with the time it took. */
export function reportPhases(log: PlatformLog, { timingsMs }: ConnectionFacts): void {
  for (const [phase, text] of Object.entries(phaseNames)) {
    const ms = timingsMs[phase];
    if (ms !== undefined) log.info(`${seconds(ms)}  ${text}`);
  }
}

/** The one line that counts, and what its reader should know or do. `afterMs`: since the step began. */
export function report(
  platform: CiPlatform,
  settings: CiSettings,
  connection: ConnectionFacts,
  afterMs: number,
): void {
  const { log, job } = platform;
  const { clusterName, namespace, way } = settings;
  const { serverVersion, identity } = connection;
  log.info(`Connected to ${clusterName} (${serverVersion}) as ${identity} in ${seconds(afterMs, 1)}`);
  if (!connection.caPinned && !(way.kind === "relay" && way.trustRelay)) {
    log.warning(
      `The relay was trusted to name the CA of ${clusterName}. Compare this with the auth proxy's log and set ` +
        `${nameOn(job.system, "cluster-ca")}: ${connection.caPins.join(" ")}`,
    );
  }
  if (way.kind === "relay") reportSharedAudience(platform, way);
  if (!connection.hasRights) log.notice(noRights(plainText(identity), namespace ?? "default"));
  if (isContainer()) {
    log.info(
      "This job runs in a container: its steps share the connection, but containers that they start cannot reach " +
        `${connection.server} (docs/${job.system === "github" ? "github-actions" : "azure-pipelines"}.md, "Containers").`,
    );
  }
}

/** Where every token has the audience of Microsoft Entra, one that Entra trusts would be a credential there. */
function reportSharedAudience({ identity, log }: CiPlatform, { credentials }: RelaySettings): void {
  const { relay, cluster, serviceConnection } = credentials;
  const [toRelay, toCluster] = [relay.kind === "token", cluster.kind === "token"];
  if (identity.choosesAudience || !(toRelay || toCluster)) return;
  const isShared = toRelay && toCluster;
  const shown = isShared ? "Relay and cluster are" : toRelay ? "The relay is" : "The cluster is";
  const whose = serviceConnection === undefined ? "this pipeline" : "the service connection";
  const text =
    `${shown} shown a token of ${whose}, whose audience is that of Microsoft Entra: ` +
    "no federated credential there may trust its subject." +
    (isShared ? " Whoever runs the relay can act as its subject in the cluster." : "");
  if (isShared || serviceConnection !== undefined) log.warning(text);
  else log.notice(text);
}

export function setOutputs(platform: CiPlatform, connection: ConnectionFacts, kubeconfigPath: string): void {
  const values: Record<OutputName, string> = {
    "kubeconfig-path": kubeconfigPath,
    "context-name": connection.contextName,
    server: connection.server,
    identity: plainText(connection.identity),
    "server-version": plainText(connection.serverVersion),
  };
  for (const name of Object.keys(outputs) as OutputName[]) platform.setOutput(name, values[name]);
}

/** To be pasted into a shell by somebody with the right to; hence the quotes, and a name that is this identity's own. */
function noRights(identity: string, namespace: string): string {
  const name = `cluster-connect-view-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`;
  const user = `'${identity.replaceAll("'", "'\\''")}'`;
  return (
    `${identity} has no rights in namespace ${namespace}. To let it read the whole cluster: ` +
    `kubectl create clusterrolebinding ${name} --clusterrole=view --user=${user}`
  );
}

const isContainer = (): boolean => ["/.dockerenv", "/run/.containerenv"].some((mark) => existsSync(mark));
