/**
 * The one table of inputs and outputs. The manifests and docs/inputs-and-outputs.md are checked against it; after a
 * change run `npm run docs`.
 */
export interface InputDefinition {
  readonly required?: true;
  readonly default?: string;
  readonly secret?: true;
  readonly description: string;
}

export const inputs = {
  "cluster-name": {
    required: true,
    description: "Name of the cluster, as relay and agent know it, such as plant-7.",
  },
  "relay-url": {
    required: true,
    description: "Address of the relay, such as https://relay.example.com, or of an Azure Relay namespace.",
  },
  "relay-ca": { description: "PEM of the CA that signs the relay's certificate, if it is a private one." },
  "cluster-ca": {
    description:
      "The cluster's CA: sha256:… pins, as the auth proxy logs them, or PEM; several for a rotation. Without it the relay is trusted to name the CA.",
  },
  "insecure-trust-relay": {
    default: "false",
    description: "Whether to trust the relay to name the cluster's CA without a warning.",
  },
  "relay-audience": { description: "Audience of the token for the relay. Default: the origin of relay-url." },
  "cluster-audience": {
    description:
      "Audience of the token for the cluster. Default: cluster-connect/ followed by the cluster's name.",
  },
  "relay-key-name": { description: "Name of a shared access key for the relay, instead of a token." },
  "relay-key": { secret: true, description: "The shared access key." },
  "context-name": {
    description: "Name of context, cluster and user in the kubeconfig. Default: the cluster's name.",
  },
  namespace: { description: "Namespace of the context." },
  timeout: {
    default: "60s",
    description: "How long to wait until the cluster has answered, such as 90s or 2m.",
  },
  "log-level": {
    default: "info",
    description: "Least level of the background process's log: debug, info, warn, error.",
  },
  summary: {
    default: "true",
    description: "Whether to write a job summary with identity, streams, bytes and losses.",
  },
} as const satisfies Record<string, InputDefinition>;

export type InputName = keyof typeof inputs;

export const outputs = {
  "kubeconfig-path": "Path of the kubeconfig, which KUBECONFIG and KUBE_CONFIG_PATH name too.",
  "context-name": "Name of the context.",
  server: "Address that the kubeconfig points at, on this machine's loopback.",
  identity: "Who the cluster says the caller is.",
  "server-version": "Version of the Kubernetes API server.",
} as const;

export type OutputName = keyof typeof outputs;
