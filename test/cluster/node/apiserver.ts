import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "./component";
import { etcdUrl } from "./etcd";
import { logFile, type Layout } from "./layout";

export const serviceAccountIssuer = "https://kubernetes.default.svc.cluster.local";
export const authenticationConfiguration = ({ folder }: Pick<Layout, "folder">) =>
  join(folder, "authentication.json");
export const auditLog = ({ folder }: Pick<Layout, "folder">) => join(folder, "audit.log");

/** Every request is recorded, with what was asked for: tests read there whom the apiserver saw. */
const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  omitManagedFields: true,
  rules: [{ level: "Request" }],
};

/** Nobody beside certificates and service accounts; a test may write other issuers there and restart the apiserver. */
export const nobodyMore = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  jwt: [],
};

/**
 * Listens on 443 of every address of the node, the service's among them: pods reach `kubernetes.default` as in any
 * cluster, without a kube-proxy and its packet filters.
 */
export async function apiserver(layout: Layout): Promise<Component> {
  const { addresses, authority, folder, serviceAccounts, binaries } = layout;
  const serving = await authority.issue("kube-apiserver", "CN=kube-apiserver", [
    addresses.node,
    addresses.service,
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ]);
  const kubeletClient = await authority.issue("apiserver-at-kubelet", "O=system:masters, CN=kube-apiserver");
  const policyFile = join(folder, "audit-policy.json");
  writeFileSync(policyFile, JSON.stringify(auditPolicy));
  writeFileSync(authenticationConfiguration(layout), JSON.stringify(nobodyMore));
  return {
    name: "kube-apiserver",
    argv: [
      binaries["kube-apiserver"],
      `--etcd-servers=${etcdUrl}`,
      "--bind-address=0.0.0.0",
      "--secure-port=443",
      `--advertise-address=${addresses.node}`,
      "--endpoint-reconciler-type=none",
      `--service-cluster-ip-range=${addresses.services}`,
      `--tls-cert-file=${serving.cert}`,
      `--tls-private-key-file=${serving.key}`,
      `--client-ca-file=${authority.caFile}`,
      `--authentication-config=${authenticationConfiguration(layout)}`,
      "--authorization-mode=Node,RBAC",
      `--service-account-issuer=${serviceAccountIssuer}`,
      `--service-account-key-file=${serviceAccounts.cert}`,
      `--service-account-signing-key-file=${serviceAccounts.key}`,
      `--kubelet-client-certificate=${kubeletClient.cert}`,
      `--kubelet-client-key=${kubeletClient.key}`,
      `--kubelet-certificate-authority=${authority.caFile}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--allow-privileged=true",
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${auditLog(layout)}`,
      // One file for the whole run, however much is recorded.
      "--audit-log-maxsize=4000",
      // A watch cut off by a restart must not hold the restart up.
      "--shutdown-delay-duration=0s",
    ],
    logFile: logFile(layout, "kube-apiserver"),
  };
}
