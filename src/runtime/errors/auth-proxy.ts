import { errorTable } from "./entry";

export const authProxyErrors = errorTable({
  ERR_AUTH_PROXY_NO_CREDENTIAL: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the request carries no token",
    cause: "the kubeconfig's user was replaced, or its credential command printed nothing.",
    remedy: "use the kubeconfig that Cluster Connect wrote; see its user entry.",
  },
  ERR_AUTH_PROXY_AMBIGUOUS_CREDENTIAL: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the request carries more than one credential",
    cause: "two Authorization headers, or a header beside a token in the WebSocket subprotocol.",
    remedy: "let the client send one of them.",
  },
  ERR_AUTH_PROXY_MALFORMED_REQUEST: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the request is not one that a Kubernetes client sends",
    cause: "a broken client, or an attempt to smuggle a header past the proxy.",
    remedy: "the message names the part that was refused.",
  },
  ERR_AUTH_PROXY_REQUEST_TOO_LARGE: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the request's headers are too large",
    cause: "a very long command line in exec, or a token with very many groups.",
    remedy: "shorten the command, for instance by a script on stdin; or raise limits.headerBytes.",
  },
  ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "impersonation by the caller is not enabled",
    cause: "kubectl was run with --as, --as-group, --as-uid or --as-user-extra.",
    remedy:
      "leave these flags out: the request runs as the identity of the token; or have the operator set impersonation.nested.",
  },
  ERR_AUTH_PROXY_IMPERSONATION_DENIED: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the caller may not act as the user that --as, --as-group, --as-uid or --as-user-extra names",
    cause: "the cluster's RBAC does not grant it to the identity of the token.",
    remedy: "grant the right that the message names, or leave these flags out.",
  },
  ERR_AUTH_PROXY_REVIEW_FAILED: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the apiserver does not tell the auth proxy what a caller may do",
    cause: "impersonation.nested is set and the auth proxy's role lacks create on subjectaccessreviews.",
    remedy: "install the chart with impersonation.nested, or add that right to the role.",
  },
  ERR_AUTH_PROXY_UPGRADE_REFUSED: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "this protocol upgrade is not allowed",
    cause: "only websocket and SPDY/3.1 are, without a request body; the operator may have turned SPDY off.",
    remedy: "use kubectl 1.31 or newer and leave KUBECTL_REMOTE_COMMAND_WEBSOCKETS unset.",
  },
  ERR_AUTH_PROXY_STREAM_EXPIRED: {
    hop: "auth proxy",
    owner: "workflow author",
    summary: "the request was cut, because it had run as long as it may",
    cause: "the operator has set streams.end: a watch, a log or a shell ends with its token, or at an age.",
    remedy:
      "begin it again, which clients with a watch do by themselves; whether a command that was cut still runs is not known.",
  },
  ERR_AUTH_PROXY_BUSY: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "too many requests are under way",
    cause: "more watches and requests are open at once than one auth proxy is allowed to hold.",
    remedy: "it is tried again by itself; raise limits.requests or run more replicas.",
  },
  ERR_AUTH_PROXY_NO_IDENTITY: {
    hop: "auth proxy",
    owner: "Cluster Connect maintainers",
    summary: "a request without an impersonated user was stopped",
    cause: "a defect: an identity came out empty.",
    remedy: "open an issue with the log that precedes this line.",
  },
  ERR_APISERVER_UNREACHABLE: {
    hop: "apiserver",
    owner: "cluster operator",
    summary: "the apiserver cannot be reached",
    cause: "it is restarting, its address is wrong, or a network policy is in the way.",
    remedy: "try again; then check the auth proxy's apiserver settings and the cluster's control plane.",
  },
  ERR_APISERVER_LOST: {
    hop: "apiserver",
    owner: "cluster operator",
    summary: "the connection to the apiserver was lost",
    cause: "the apiserver was restarted, or the network between it and the auth proxy broke.",
    remedy: "whether the request took effect is not known: look before you repeat it.",
  },
  ERR_APISERVER_REFUSED_PROXY: {
    hop: "apiserver",
    owner: "cluster operator",
    summary: "the apiserver does not accept the auth proxy's own credential",
    cause: "its service account was deleted or its token has expired without being rotated.",
    remedy: "check the auth proxy's service account and its mounted token; restart its pod.",
  },
  ERR_APISERVER_SETTINGS: {
    hop: "configuration",
    owner: "cluster operator",
    summary: "how to reach the apiserver is not known",
    cause:
      "the auth proxy runs outside a pod without apiserver settings, or a file they name cannot be used.",
    remedy: "set apiserver.url, caFile and tokenFile, or apiserver.kubeconfig.",
  },
  ERR_AUTH_PROXY_CERTIFICATES: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the auth proxy's CA cannot be used",
    cause: "the directory or Secret cannot be read or written, or its content was damaged.",
    remedy:
      "mend what the message names. A new CA is never made silently, because callers have pinned the old one.",
  },
  ERR_AUTH_PROXY_LISTEN: {
    hop: "auth proxy",
    owner: "cluster operator",
    summary: "the auth proxy cannot listen",
    cause: "another process listens there, or the folder does not exist or is not writable.",
    remedy: "check the listen settings.",
  },
});
