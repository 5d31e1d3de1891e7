import { errorTable } from "./entry";

export const arcErrors = errorTable({
  ERR_ARM_UNREACHABLE: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "Azure Resource Manager cannot be reached, or cannot answer now",
    cause: "a network fault, an outbound proxy that does not let the runner through, or an outage.",
    remedy:
      "nothing if it happens once: it is asked again by itself. If it lasts, check HTTPS_PROXY, `cloud` and Azure's status page.",
  },
  ERR_ARM_THROTTLED: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "Azure Resource Manager asks to come back later",
    cause: "the subscription or the identity makes more calls than Azure allows at the moment.",
    remedy:
      "nothing: it is asked again when it said so. If it lasts, find what else calls with this identity.",
  },
  ERR_ARM_TOKEN_REFUSED: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "Azure Resource Manager refused the token",
    cause: "the token is of another tenant or cloud than the subscription.",
    remedy: "check tenant-id, subscription-id and cloud: the three belong together.",
  },
  ERR_ARM_REFUSED: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "Azure Resource Manager refused the request",
    cause: "Azure's own code and words are in the message.",
    remedy: "give the correlation id of the message to Azure's support if its words do not help.",
  },
  ERR_ARM_ANSWER: {
    hop: "Azure Resource Manager",
    owner: "Cluster Connect maintainers",
    summary: "Azure Resource Manager's answer makes no sense",
    cause:
      "`cloud` names something that is not an ARM endpoint, or Azure answers in a way that is not known here.",
    remedy: "check `cloud`; if it is right, open an issue with this message.",
  },
  ERR_ARC_ROLE_MISSING: {
    hop: "Azure Resource Manager",
    owner: "cluster operator",
    summary: "the identity may not connect to this cluster",
    cause:
      "it has no role with Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action there, or has had it for less than some minutes.",
    remedy: "assign the role that the message names to the identity, at the scope that the message names.",
  },
  ERR_ARC_SUBSCRIPTION_NOT_FOUND: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "there is no such subscription",
    cause: "subscription-id is mistyped, or belongs to another cloud.",
    remedy: "copy it from the cluster's overview page; check `cloud`.",
  },
  ERR_ARC_GROUP_NOT_FOUND: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "there is no such resource group in the subscription",
    cause: "resource-group is mistyped, or is one of another subscription.",
    remedy: "copy it from the cluster's overview page.",
  },
  ERR_ARC_CLUSTER_NOT_FOUND: {
    hop: "Azure Resource Manager",
    owner: "workflow author",
    summary: "there is no such Arc-enabled cluster in the resource group",
    cause: "cluster-name is mistyped, or the cluster was never connected to Azure Arc, or is an AKS cluster.",
    remedy: "compare cluster-name with what `az connectedk8s list` shows.",
  },
  ERR_ARC_AGENT_NEVER_STARTED: {
    hop: "agent",
    owner: "cluster operator",
    summary: "the cluster's Azure Arc agent has never come up",
    cause:
      "onboarding did not finish, the feature cluster-connect is disabled, or the pod clusterconnect-agent cannot reach *.servicebus.windows.net.",
    remedy:
      "in the cluster: `kubectl -n azure-arc get pods`, then the log of clusterconnect-agent; then `az connectedk8s enable-features --features cluster-connect`.",
  },
  ERR_ARC_AGENT_NOT_CONNECTED: {
    hop: "agent",
    owner: "cluster operator",
    summary: "no agent of the cluster is connected to Azure's relay",
    cause:
      "the agent is down, cannot get out, or is just renewing its own credential, which takes some 12 s once a day.",
    remedy:
      "nothing if it passes by itself; else look at the pod clusterconnect-agent in namespace azure-arc.",
  },
  ERR_ARC_AGENT_OFFLINE: {
    hop: "agent",
    owner: "cluster operator",
    summary: "Azure has not heard from the cluster's agents",
    cause: "the cluster is down or cut off, or its Azure Arc identity has expired.",
    remedy:
      "bring the cluster back; if it is up, look at the pods in namespace azure-arc. Expired: connect it to Azure Arc anew.",
  },
  ERR_ARC_REGISTRY_UNREACHABLE: {
    hop: "registry",
    owner: "workflow author",
    summary: "arcProxy cannot be fetched",
    cause:
      "a firewall does not let the runner through to mcr.microsoft.com and *.data.mcr.microsoft.com, or the registry is out of order.",
    remedy:
      "open both, name a mirror as arc-proxy-registry, or put the program on the runner and name it as arc-proxy-path.",
  },
  ERR_ARC_PROXY_PLATFORM: {
    hop: "registry",
    owner: "workflow author",
    summary: "there is no arcProxy for this machine",
    cause: "Microsoft builds it for Linux, macOS and Windows on amd64 and arm64, and for 386 but for macOS.",
    remedy: "run the job on such a machine.",
  },
  ERR_ARC_PROXY_DIGEST: {
    hop: "registry",
    owner: "workflow author",
    summary: "arcProxy is not what it should be",
    cause:
      "it was altered on the way or on the disk, or arc-proxy-digest is that of another version or architecture.",
    remedy:
      "compare the digests; change arc-proxy-digest only if you know why it has changed. It is that of the program, not of the archive.",
  },
  ERR_ARC_PROXY_INVALID: {
    hop: "registry",
    owner: "Cluster Connect maintainers",
    summary: "the registry's artifact is not what is expected of arcProxy",
    cause: "a mirror holds something else, or Microsoft packs it in another way now.",
    remedy: "check arc-proxy-registry; if it is not set, open an issue, and use arc-proxy-path meanwhile.",
  },
  ERR_ARC_PROXY_PATH: {
    hop: "configuration",
    owner: "workflow author",
    summary: "the arcProxy that was named cannot be used",
    cause: "arc-proxy-path names no file, or one that this user may not read and execute.",
    remedy: "check the path and the file's mode.",
  },
  ERR_ARC_PROXY_START: {
    hop: "arcProxy",
    owner: "workflow author",
    summary: "arcProxy did not start",
    cause: "it is built for another system, ended at once, or does not come to listen; its log says more.",
    remedy: "read arcProxy's log, which follows; with arc-proxy-path, check which version that is.",
  },
  ERR_ARC_PROXY_ENDED: {
    hop: "arcProxy",
    owner: "workflow author",
    summary: "arcProxy is not running",
    cause: "it has crashed, or another step or the machine has killed it.",
    remedy: "nothing if it happens once: it is started again by itself. If it repeats, read arcProxy's log.",
  },
  ERR_ARC_PROXY_REFUSED: {
    hop: "arcProxy",
    owner: "workflow author",
    summary: "arcProxy did not take what it was given",
    cause: "it has made itself another key meanwhile, or cannot use the relay's credential.",
    remedy: "nothing if it passes by itself; else read arcProxy's log.",
  },
  ERR_ARC_PROXY_ANSWER: {
    hop: "arcProxy",
    owner: "Cluster Connect maintainers",
    summary: "arcProxy does not behave as is known of it",
    cause: "it is of another version than this release was made for, or something else has taken its port.",
    remedy: "leave arc-proxy-path out; if it lasts, open an issue with arcProxy's log.",
  },
  ERR_ARC_CLUSTER_TOKEN_REFUSED: {
    hop: "kube-aad-proxy",
    owner: "cluster operator",
    summary: "the cluster did not accept the identity",
    cause:
      "the cluster belongs to another tenant than tenant-id, the identity was deleted, or the service account's token has expired.",
    remedy:
      "compare tenant-id with the cluster's; then look at the log of kube-aad-proxy in namespace azure-arc.",
  },
  ERR_ARC_CLUSTER_FORBIDDEN: {
    hop: "apiserver",
    owner: "cluster operator",
    summary: "the identity has no rights in the cluster",
    cause:
      "no role binding and no Azure role names it. Kubernetes knows an application by its object id, which is not its application id.",
    remedy:
      "bind a ClusterRole to the oid of the message (for a person: to the upn), or assign an Azure Arc Kubernetes role where Azure RBAC is on.",
  },
  ERR_ARC_GROUPS_OVERAGE: {
    hop: "kube-aad-proxy",
    owner: "cluster operator",
    summary: "the identity is in more groups than a token can hold",
    cause: "with more than 200 the token has none of them, and the cluster rejects applications then.",
    remedy: "take the identity out of groups, or use one of its own for this cluster.",
  },
  ERR_ARC_CLUSTER_UNREACHABLE: {
    hop: "arcProxy",
    owner: "cluster operator",
    summary: "arcProxy cannot reach the cluster",
    cause:
      "the agent is renewing its own credential (some 12 s once a day) or down, kube-aad-proxy is not running, or a firewall is in the way of *.servicebus.windows.net.",
    remedy:
      "nothing if it passes by itself; else look at clusterconnect-agent and kube-aad-proxy in namespace azure-arc.",
  },
});
