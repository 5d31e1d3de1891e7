import { errorTable } from "./entry";

export const configurationErrors = errorTable({
  ERR_UNEXPECTED: {
    hop: "the program that reports it",
    owner: "Cluster Connect maintainers",
    summary: "something happened that should not",
    cause: "a defect in Cluster Connect, or a state of the machine that it does not know.",
    remedy: "open an issue with this message and the log that follows it.",
  },
  ERR_SETTINGS_UNREADABLE: {
    hop: "configuration",
    owner: "cluster operator",
    summary: "the configuration cannot be read",
    cause: "the file is missing, not readable by this user, or not YAML.",
    remedy: "check the path given with --config and the file's syntax.",
  },
  ERR_SETTINGS_INVALID: {
    hop: "configuration",
    owner: "cluster operator",
    summary: "the configuration is not valid",
    cause: "a key is unknown, missing, or has a value of the wrong kind.",
    remedy:
      "mend the keys that the message names; docs/relay.md, docs/agent.md and docs/auth-proxy.md list them all.",
  },
  ERR_HTTP_FAILED: {
    hop: "client proxy",
    owner: "workflow author",
    summary: "an HTTP request failed",
    cause: "the address cannot be reached, its certificate is not trusted, or it did not answer in time.",
    remedy: "check the address, the outbound proxy variables and the trusted CA.",
  },
  ERR_OUTBOUND_PROXY_REFUSED: {
    hop: "outbound proxy",
    owner: "workflow author",
    summary: "the outbound proxy did not let the connection through",
    cause: "it wants a user name and a password (407), or does not allow this destination (403).",
    remedy:
      "put the credentials into HTTPS_PROXY (http://user:password@host:port), have the destination allowed, or name it in NO_PROXY.",
  },
  ERR_OUTBOUND_PROXY_FAILED: {
    hop: "outbound proxy",
    owner: "workflow author",
    summary: "the outbound proxy made no connection",
    cause:
      "HTTPS_PROXY names a proxy that is down or another host, or the proxy cannot reach the destination.",
    remedy:
      "check HTTPS_PROXY and, from the proxy's side, the destination; name it in NO_PROXY if it is near.",
  },
});
