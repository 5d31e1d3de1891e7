/** The cluster as Azure Resource Manager knows it, and the two calls about it. */
import { z } from "zod";
import { ClusterConnectError } from "../runtime/errors";
import type { ArmClient } from "./arm-client";

/** Names one Arc-enabled cluster. */
export interface ClusterResource {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

/** The oldest stable version whose answers have everything that is used here; disconnected clouds lag behind. */
const apiVersion = "2024-01-01";

/** `/subscriptions/…/connectedClusters/NAME`. */
export const resourceIdOf = ({ subscriptionId, resourceGroup, name }: ClusterResource): string =>
  `/subscriptions/${encodeURIComponent(subscriptionId)}/resourceGroups/${encodeURIComponent(resourceGroup)}` +
  `/providers/Microsoft.Kubernetes/connectedClusters/${encodeURIComponent(name)}`;

/** What opens the way to the cluster's relay for some hours, and the kubeconfig that goes with it. */
export interface RelayCredential {
  readonly hybridConnectionConfig: {
    readonly relay: string;
    readonly hybridConnectionName: string;
    /** A SharedAccessSignature with the right to send. */
    readonly token: string;
    /** Seconds since the epoch, by Azure's clock. */
    readonly expirationTime: number;
  };
  /** Base64 of a kubeconfig template. */
  readonly kubeconfig: string;
  readonly receivedAtMs: number;
  readonly lifetimeMs: number;
}

/** How the caller will prove itself in the cluster: as an Entra identity, or by a service account's token. */
export type AuthenticationMethod = "AAD" | "Token";

const credentialAnswer = z.object({
  hybridConnectionConfig: z
    .object({
      relay: z.string().min(1),
      hybridConnectionName: z.string().min(1),
      token: z.string().min(1),
      expirationTime: z.number().positive(),
    })
    .nullish(),
  kubeconfigs: z.array(z.object({ value: z.string().min(1) })).nullish(),
});

/** Throws a ClusterConnectError with an ERR_ARM_… or ERR_ARC_… code. */
export async function fetchRelayCredential(
  arm: ArmClient,
  cluster: ClusterResource,
  authenticationMethod: AuthenticationMethod,
  signal?: AbortSignal,
): Promise<RelayCredential> {
  const answer = await arm.send({
    method: "POST",
    path: `${resourceIdOf(cluster)}/listClusterUserCredential`,
    apiVersion,
    body: { authenticationMethod, clientProxy: true },
    signal,
  });
  const { hybridConnectionConfig, kubeconfigs } = read(credentialAnswer, answer.body);
  const kubeconfig = kubeconfigs?.[0]?.value;
  // Every field is optional in the specification: without a relay no agent has ever registered there.
  if (hybridConnectionConfig === undefined || hybridConnectionConfig === null || kubeconfig === undefined) {
    throw new ClusterConnectError("ERR_ARC_AGENT_NEVER_STARTED", "Azure knows no relay of this cluster");
  }
  return {
    hybridConnectionConfig,
    kubeconfig,
    // An answer may have been long under way; what is over must not be taken for fresh.
    receivedAtMs: answer.askedAtMs,
    // By Azure's own clock at both ends, since this machine's may differ.
    lifetimeMs: Math.max(0, hybridConnectionConfig.expirationTime * 1_000 - answer.serverTimeMs),
  };
}

export interface Connectivity {
  /** Connecting, Connected, Offline, Expired or AgentNotInstalled. */
  readonly status: string;
  readonly lastSeen: string | undefined;
}

const clusterAnswer = z.object({
  properties: z.object({ connectivityStatus: z.string(), lastConnectivityTime: z.string().optional() }),
});

/** Throws as `fetchRelayCredential` does; a caller need not have the right to read. */
export async function fetchConnectivity(
  arm: ArmClient,
  cluster: ClusterResource,
  signal?: AbortSignal,
): Promise<Connectivity> {
  const answer = await arm.send({ method: "GET", path: resourceIdOf(cluster), apiVersion, signal });
  const { connectivityStatus, lastConnectivityTime } = read(clusterAnswer, answer.body).properties;
  return { status: connectivityStatus, lastSeen: lastConnectivityTime };
}

/** Throws when Azure has it in writing that nobody will answer. */
export function refuseUnlessReachable({ status, lastSeen }: Connectivity): void {
  if (status === "AgentNotInstalled") {
    throw new ClusterConnectError("ERR_ARC_AGENT_NEVER_STARTED", `connectivityStatus is ${status}`);
  }
  if (status !== "Offline" && status !== "Expired") return;
  const since = lastSeen === undefined ? "" : ` since ${lastSeen}`;
  throw new ClusterConnectError("ERR_ARC_AGENT_OFFLINE", `the agent of this cluster is ${status}${since}`);
}

function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ClusterConnectError("ERR_ARM_ANSWER", z.prettifyError(result.error).split("\n")[0] ?? "");
}
