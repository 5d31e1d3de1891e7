import { errorTable } from "./entry";

export const configurationErrors = errorTable({
  ERR_UNEXPECTED: {
    hop: "client proxy",
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
});
