import { errorTable } from "./entry";

export const clientProxyErrors = errorTable({
  ERR_RELAY_UNREACHABLE: {
    hop: "relay",
    owner: "relay operator",
    summary: "the relay cannot be reached",
    cause:
      "relay-url names another host or port, the relay is down, or a firewall or outbound proxy is in the way.",
    remedy: "check relay-url, HTTPS_PROXY and NO_PROXY, and that the relay answers from where the job runs.",
  },
  ERR_RELAY_UNTRUSTED: {
    hop: "relay",
    owner: "workflow author",
    summary: "the relay's certificate is not trusted",
    cause: "it is signed by a private CA, has expired, or is for another host name.",
    remedy: "give the CA's PEM as relay-ca, or have the relay's certificate renewed.",
  },
  ERR_RELAY_TOKEN_AUDIENCE: {
    hop: "relay",
    owner: "workflow author",
    summary: "the token is not for this relay",
    cause:
      "relay-audience names another audience than the relay has, or relay-url another host than its publicUrl.",
    remedy:
      "on GitHub, leave relay-audience out, or set it to the relay's `audience` (its log names what it expects); with a key, give relay-url the host of the relay's `publicUrl`. With Microsoft Entra, relay-scope decides the audience. By hand: have the token at --relay-token-file or --relay-token-command issued for that audience.",
  },
  ERR_RELAY_TOKEN_REFUSED: {
    hop: "relay",
    owner: "relay operator",
    summary: "the relay refused the caller",
    cause:
      "no rule of the cluster admits this identity, or the token is of an unknown issuer or has expired.",
    remedy: "compare the claims above with the cluster's clients.allow and the relay's issuers.",
  },
  ERR_RELAY_BUSY: {
    hop: "relay",
    owner: "relay operator",
    summary: "the relay cannot take the connection now",
    cause: "it is shutting down, has reached a limit, or cannot fetch an issuer's keys.",
    remedy: "try again; if it lasts, look at the relay's log and limits.",
  },
  ERR_AGENT_NOT_CONNECTED: {
    hop: "agent",
    owner: "cluster operator",
    summary: "no agent of the cluster is connected to the relay",
    cause:
      "cluster-name is not the name that agent and relay use, or the agent is not running or cannot get out.",
    remedy: "check cluster-name, then the agent's pod and its log.",
  },
  ERR_CLUSTER_CA_MISMATCH: {
    hop: "agent",
    owner: "cluster operator",
    summary: "the cluster's CA is not the one that is pinned",
    cause: "the auth proxy was installed anew, cluster-ca is out of date, or somebody stands in between.",
    remedy:
      "compare cluster-ca with the sha256 that the auth proxy logs; update it only if you know why it changed.",
  },
  ERR_CLUSTER_UNTRUSTED: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the cluster's certificate is not signed by the expected CA",
    cause: "agent and auth proxy do not belong together, or somebody stands in between.",
    remedy: "restart the agent's pod; if it lasts, do not go on before you know who answers.",
  },
  ERR_AUTH_PROXY_UNREACHABLE: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the agent cannot reach the auth proxy",
    cause: "the auth proxy is down or starting.",
    remedy: "look at the auth-proxy container of the agent's pod.",
  },
  ERR_CLUSTER_TOKEN_AUDIENCE: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the token is not for this cluster",
    cause: "cluster-audience names none of the audiences that the auth proxy is configured with.",
    remedy:
      "on GitHub, set cluster-audience to the audience that the message expects, or add the one that was sent to authentication.jwt[].issuer.audiences of the auth proxy. With Microsoft Entra, cluster-scope decides the audience. By hand: have the token at --token-file or --token-command issued for that audience.",
  },
  ERR_CLUSTER_TOKEN_REFUSED: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the cluster did not accept the token",
    cause: "it is of an issuer that is not configured there, has expired, or lacks a claim.",
    remedy:
      "the message says what is wrong with it; compare it with the auth proxy's authentication configuration.",
  },
  ERR_CLUSTER_IDENTITY_REFUSED: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the cluster does not let this identity in",
    cause:
      "the token maps to a name or group that the auth proxy refuses, such as one that begins with system:.",
    remedy: "look at the claim mappings of the auth proxy's authentication configuration.",
  },
  ERR_CLUSTER_ANSWER: {
    hop: "apiserver",
    owner: "cluster operator",
    summary: "the cluster's answer makes no sense",
    cause: "something that is not a Kubernetes API server answered, or one older than 1.28.",
    remedy: "check which server the auth proxy forwards to.",
  },
  ERR_LOCAL_PORT: {
    hop: "client proxy",
    owner: "workflow author",
    summary: "the local address cannot be listened on",
    cause: "another process has the port, or the address is not one of this machine.",
    remedy: "leave the port to the system (0), or choose another.",
  },
  ERR_KUBECONFIG_CLASH: {
    hop: "configuration",
    owner: "workflow author",
    summary: "the kubeconfig already has an entry of that name",
    cause: "two uses in one job, or an entry of your own, have the same context name.",
    remedy: "give this use another context-name.",
  },
  ERR_KUBECONFIG_UNREADABLE: {
    hop: "configuration",
    owner: "workflow author",
    summary: "the kubeconfig cannot be read",
    cause: "the file is not YAML, or not a kubeconfig.",
    remedy: "mend or move the file that the message names.",
  },
  ERR_KUBECONFIG_LOCKED: {
    hop: "configuration",
    owner: "workflow author",
    summary: "somebody else is writing the kubeconfig",
    cause: "kubectl or another proxy is at it; or one that was killed has left its lock behind.",
    remedy: "when nobody is at it, delete the lock file that the message names.",
  },
});
