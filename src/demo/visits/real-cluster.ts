/**
 * Somebody's real cluster: reads, and a create that is only tried out. Without a grant the cluster refuses most of
 * it; that it does so by our name is the proof of who asked.
 */
import { KubernetesClient } from "../kubernetes-client";
import { whoAmI } from "./by-client";
import { configMap, expect, visitor, type Visit } from "./visit";

const base = "/api/v1/namespaces/default";

/** `hasGrant`: the visitor has been given what it asks for in namespace `default`. */
export const visitsToRealCluster = (hasGrant: boolean): readonly Visit[] => [
  request("GET", "/version", undefined, true),
  whoAmI,
  request("GET", `${base}/pods?limit=5`, undefined, hasGrant),
  request("POST", `${base}/configmaps?dryRun=All`, configMap, hasGrant),
  request("GET", "/api/v1/nodes?limit=1", undefined, false),
];

function request(method: string, path: string, body: unknown, mustBeAllowed: boolean): Visit {
  return {
    title: `${method} ${path}`,
    run: async ({ kubeconfig, signal }) => {
      const answer = await new KubernetesClient(kubeconfig, signal).send(method, path, { body });
      if (answer.status === 200 || answer.status === 201) return outline(answer.body);
      const refusal = `${String(answer.status)} ${answer.body}`;
      expect(!mustBeAllowed && answer.status === 403 && answer.body.includes(visitor), refusal);
      return `the cluster refuses ${visitor}, by name`;
    },
  };
}

function outline(body: string): string {
  const { kind, items, gitVersion, metadata } = JSON.parse(body) as {
    kind?: string;
    items?: unknown[];
    gitVersion?: string;
    metadata?: { name?: string };
  };
  if (gitVersion !== undefined) return gitVersion;
  return items === undefined
    ? `${String(kind)} ${metadata?.name ?? ""} would be created`
    : `${String(kind)} of ${String(items.length)}`;
}
