/** What main tells once the cluster has answered. */
import { existsSync } from "node:fs";
import type { ConnectionFacts } from "../client-proxy/control";
import type { OutputName } from "./inputs";
import { plainText } from "./plain-text";
import type { CiPlatform } from "./platform";
import type { CiSettings } from "./settings";

const phaseNames: Readonly<Record<string, string>> = {
  token: "Obtained the identity tokens",
  session: "Opened a session with the cluster's agent",
  proof: "Sent a request to the cluster and got its answer",
  kubeconfig: "Wrote the kubeconfig",
};

export function report(
  platform: CiPlatform,
  settings: CiSettings,
  connection: ConnectionFacts,
  kubeconfigPath: string,
): void {
  const { log } = platform;
  for (const [phase, text] of Object.entries(phaseNames)) {
    const ms = connection.timingsMs[phase];
    if (ms !== undefined) log.info(`${(ms / 1_000).toFixed(2)} s  ${text}`);
  }
  const identity = plainText(connection.identity);
  const cluster = plainText(settings.clusterName);
  const version = plainText(connection.serverVersion);
  const seconds = ((connection.timingsMs["total"] ?? 0) / 1_000).toFixed(1);
  log.info(`Connected to ${cluster} (${version}) as ${identity} in ${seconds} s`);
  if (!connection.caPinned && !settings.trustRelay) {
    const pins = connection.caPins.map(plainText).join(" ");
    log.warning(
      `The relay was trusted to name the CA of ${cluster}. Compare this with the auth proxy's log and set cluster-ca: ${pins}`,
    );
  }
  if (!connection.hasRights) log.notice(noRights(identity, settings.namespace));
  if (existsSync("/.dockerenv")) {
    log.info(
      "This job runs in a container: its steps share the connection; containers that they start do not.",
    );
  }
  const outputs: Record<OutputName, string> = {
    "kubeconfig-path": kubeconfigPath,
    "context-name": connection.contextName,
    server: connection.server,
    identity: plainText(connection.identity),
    "server-version": version,
  };
  for (const [name, value] of Object.entries(outputs)) platform.setOutput(name, value);
}

function noRights(identity: string, namespace: string | undefined): string {
  const quoted = `'${identity.replaceAll("'", "'\\''")}'`;
  return (
    `${identity} has no rights in namespace ${plainText(namespace ?? "default")}. ` +
    `To let it read the whole cluster: kubectl create clusterrolebinding cluster-connect-view --clusterrole=view --user=${quoted}`
  );
}
