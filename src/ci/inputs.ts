/**
 * The one table of inputs and outputs. `action.yml`, `task.json` and docs/inputs-and-outputs.md are made from it by
 * `npm run docs`. Names are GitHub's; Azure Pipelines, which allows letters and digits alone, has them in camelCase.
 */
export type CiSystem = "github" | "azure-pipelines";

export interface InputDefinition {
  /** The one CI system that has it; both have it without this. */
  readonly only?: CiSystem;
  readonly required?: true;
  readonly default?: string;
  readonly secret?: true;
  readonly description: string;
  readonly field: FormField;
}

/** How the form of an Azure Pipelines task shows an input. */
export interface FormField {
  readonly label: string;
  readonly type?: "boolean" | "multiLine" | "pickList" | `connectedService:${string}`;
  readonly options?: readonly string[];
  readonly group?: GroupName;
}

/** Of a form: closed at first, each with the fields that belong together. */
export const groups: Readonly<Record<GroupName, { readonly title: string; readonly visibleWhen?: string }>> =
  {
    trust: { title: "Certificate authority of the cluster", visibleWhen: "insecureTrustRelay = false" },
    entra: { title: "Identity: Microsoft Entra" },
    arc: { title: "Azure Arc" },
    key: { title: "Identity at the relay: a shared access key" },
    pipeline: { title: "Identity: the pipeline's own token" },
    kubeconfig: { title: "Kubeconfig" },
    advanced: { title: "Advanced" },
  };
export type GroupName = "trust" | "entra" | "arc" | "key" | "pipeline" | "kubeconfig" | "advanced";

export const inputs = {
  "cluster-name": {
    required: true,
    description:
      "Name of the cluster, as relay and agent know it, such as plant-7; for Azure Arc, of the Arc-enabled cluster.",
    field: { label: "Cluster name" },
  },
  "relay-url": {
    description:
      "Address of the relay, such as https://relay.example.com, or of an Azure Relay namespace. Without it the way is Azure Arc's, and subscription-id and resource-group are needed.",
    field: { label: "Relay URL" },
  },
  "relay-ca": {
    description: "PEM of the CA that signs the relay's certificate, if it is a private one.",
    field: { label: "CA of the relay", type: "multiLine", group: "advanced" },
  },
  "cluster-ca": {
    description:
      "The cluster's CA: sha256:… pins, as the auth proxy logs them, or PEM; several for a rotation. Without it the relay is trusted to name the CA.",
    field: { label: "CA of the cluster", type: "multiLine", group: "trust" },
  },
  "insecure-trust-relay": {
    default: "false",
    description: "Whether to trust the relay to name the cluster's CA without a warning.",
    field: { label: "Trust the relay to name the cluster's CA", type: "boolean" },
  },
  "relay-audience": {
    only: "github",
    description: "Audience of the token for the relay. Default: the origin of relay-url.",
    field: { label: "Audience at the relay" },
  },
  "cluster-audience": {
    only: "github",
    description:
      "Audience of the token for the cluster. Default: cluster-connect/ followed by the cluster's name.",
    field: { label: "Audience at the cluster" },
  },
  "azure-subscription": {
    only: "azure-pipelines",
    description:
      "Service connection with workload identity federation, in whose name Microsoft Entra gives the tokens for relay-scope and cluster-scope, or those for Azure Arc.",
    field: { label: "Azure subscription", type: "connectedService:AzureRM", group: "entra" },
  },
  "client-id": {
    only: "github",
    description:
      "Application in Microsoft Entra that gives the tokens for relay-scope and cluster-scope, or those for Azure Arc.",
    field: { label: "Client ID" },
  },
  "tenant-id": {
    only: "github",
    description: "Tenant of that application.",
    field: { label: "Tenant ID" },
  },
  "entra-authority": {
    only: "github",
    default: "https://login.microsoftonline.com",
    description: "Where Microsoft Entra is; other than the default in national clouds.",
    field: { label: "Authority" },
  },
  "relay-scope": {
    description:
      "Scope of the token for the relay, from Microsoft Entra: RESOURCE/.default; for an Azure Relay namespace https://relay.azure.net/.default.",
    field: { label: "Scope at the relay", group: "entra" },
  },
  "cluster-scope": {
    description:
      "Scope of the token for the cluster, from Microsoft Entra: RESOURCE/.default. Another resource than relay-scope's.",
    field: { label: "Scope at the cluster", group: "entra" },
  },
  token: {
    secret: true,
    description:
      "Token of a Kubernetes service account, or another one that the cluster itself has issued, instead of the job's identity at the cluster. Its auth proxy must allow that (passThrough), Azure Arc does; it is not renewed.",
    field: { label: "Token of a service account", group: "advanced" },
  },
  "relay-key-name": {
    description: "Name of a shared access key for the relay, instead of a token.",
    field: { label: "Name of a key of the relay", group: "key" },
  },
  "relay-key": {
    secret: true,
    description: "The shared access key.",
    field: { label: "Key of the relay", group: "key" },
  },
  "service-connection": {
    only: "azure-pipelines",
    description:
      "Generic service connection in whose name to be known at the cluster, instead of the pipeline's own. No federated credential in Microsoft Entra may trust it.",
    field: { label: "Generic service connection", type: "connectedService:Generic", group: "pipeline" },
  },
  "allow-shared-token": {
    only: "azure-pipelines",
    default: "false",
    description:
      "Whether relay and cluster may be shown one and the same pipeline token, which lets the relay act as the pipeline in the cluster.",
    field: { label: "Show the relay the cluster's token", type: "boolean", group: "pipeline" },
  },
  "subscription-id": {
    description: "Azure subscription of an Arc-enabled cluster, which is then reached through Azure Arc.",
    field: { label: "Subscription ID", group: "arc" },
  },
  "resource-group": {
    description: "Resource group of the Arc-enabled cluster.",
    field: { label: "Resource group", group: "arc" },
  },
  cloud: {
    description:
      "Azure cloud of the Arc-enabled cluster: AzureCloud (default), AzureUSGovernment, AzureChinaCloud, or the address of an ARM endpoint.",
    field: { label: "Cloud", group: "arc" },
  },
  "client-secret": {
    only: "github",
    secret: true,
    description:
      "Secret of the application client-id, instead of the job's own identity; for Azure Arc alone.",
    field: { label: "Client secret" },
  },
  "client-certificate": {
    only: "github",
    secret: true,
    description:
      "PEM of certificate and private key of the application client-id, instead of the job's own identity; for Azure Arc alone.",
    field: { label: "Client certificate" },
  },
  "arc-proxy-path": {
    description: "Path of Microsoft's arcProxy on the machine; without it, it is fetched and kept.",
    field: { label: "Path of arcProxy", group: "arc" },
  },
  "arc-proxy-digest": {
    description: "The only digest that arcProxy may have: sha256:… of the program, which the log names.",
    field: { label: "Digest of arcProxy", group: "arc" },
  },
  "arc-proxy-registry": {
    description: "Mirror to fetch arcProxy from. Default: https://mcr.microsoft.com.",
    field: { label: "Registry of arcProxy", group: "arc" },
  },
  "context-name": {
    description: "Name of context, cluster and user in the kubeconfig. Default: the cluster's name.",
    field: { label: "Name of the context", group: "kubeconfig" },
  },
  namespace: {
    description: "Namespace of the context.",
    field: { label: "Namespace", group: "kubeconfig" },
  },
  timeout: {
    default: "60s",
    description: "How long to wait until the cluster has answered, such as 90s or 2m.",
    field: { label: "Timeout", group: "advanced" },
  },
  "log-level": {
    default: "info",
    description: "Least level of the background process's log: debug, info, warn, error.",
    field: {
      label: "Log level",
      type: "pickList",
      options: ["debug", "info", "warn", "error"],
      group: "advanced",
    },
  },
  summary: {
    default: "true",
    description: "Whether to write a job summary with identity, streams, bytes and losses.",
    field: { label: "Write a summary", type: "boolean", group: "advanced" },
  },
} as const satisfies Record<string, InputDefinition>;

export type InputName = keyof typeof inputs;

/** The inputs that a CI system has, in the table's order. */
export const inputsOf = (system: CiSystem): readonly (readonly [InputName, InputDefinition])[] =>
  (Object.entries(inputs) as [InputName, InputDefinition][]).filter(
    ([, { only }]) => only === undefined || only === system,
  );

export const outputs = {
  "kubeconfig-path": "Path of the kubeconfig, which KUBECONFIG and KUBE_CONFIG_PATH name too.",
  "context-name": "Name of the context.",
  server: "Address that the kubeconfig points at, on this machine's loopback.",
  identity: "Who the cluster says the caller is.",
  "server-version": "Version of the Kubernetes API server.",
} as const;

export type OutputName = keyof typeof outputs;
