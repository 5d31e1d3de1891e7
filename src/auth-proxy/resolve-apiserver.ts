import { readFileSync } from "node:fs";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { ApiserverTarget } from "./apiserver-target";
import { readKubeconfig } from "./kubeconfig-target";
import type { AuthProxySettings } from "./settings";

/** Where Kubernetes mounts a pod's service account. */
const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The target that the settings name; for what they leave out, the pod's own. Throws ERR_APISERVER_SETTINGS.
 */
export function resolveApiserver(
  settings: AuthProxySettings["apiserver"],
  environment: Readonly<Record<string, string | undefined>>,
): ApiserverTarget {
  if ("kubeconfig" in settings) return readKubeconfig(settings.kubeconfig, settings.context);
  const caFile = settings.caFile ?? `${mounted}/ca.crt`;
  return {
    url: new URL(settings.url ?? inClusterUrl(environment)),
    caPem: readPem(caFile),
    serverName: settings.serverName,
    tokenFile: settings.tokenFile ?? `${mounted}/token`,
  };
}

/** The namespace that the pod runs in. Throws ERR_APISERVER_SETTINGS outside a pod. */
export function ownNamespace(): string {
  return readPem(`${mounted}/namespace`).trim();
}

function inClusterUrl(environment: Readonly<Record<string, string | undefined>>): string {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (host === undefined || port === undefined) {
    throw new ClusterConnectError("ERR_APISERVER_SETTINGS", "KUBERNETES_SERVICE_HOST and _PORT are not set");
  }
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ClusterConnectError("ERR_APISERVER_SETTINGS", messageOf(error), { cause: error });
  }
}
