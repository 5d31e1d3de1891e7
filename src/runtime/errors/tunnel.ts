import { errorTable } from "./entry";

export const tunnelErrors = errorTable({
  ERR_TUNNEL_LOST: {
    hop: "relay",
    owner: "relay operator",
    summary: "the link through the relay was lost",
    cause: "the relay or the agent was restarted, or the network between them and here broke.",
    remedy:
      "nothing if it happens once: a new link is made by itself. If it repeats, look at the relay's log.",
  },
  ERR_TUNNEL_CLOSED: {
    hop: "client proxy",
    owner: "workflow author",
    summary: "the session has been closed",
    cause: "this end, or the other one, has stopped.",
    remedy: "start it again if it was not meant to stop.",
  },
  ERR_TUNNEL_GOING_AWAY: {
    hop: "agent",
    owner: "cluster operator",
    summary: "the agent takes no new connections on this session",
    cause: "the agent is being restarted or stopped.",
    remedy: "nothing: the next connection goes to another agent, or to this one when it is back.",
  },
  ERR_TUNNEL_FULL: {
    hop: "client proxy",
    owner: "workflow author",
    summary: "the session has no room for another connection",
    cause: "more connections are open at once than the session's limits allow.",
    remedy:
      "close some, or raise `--max-streams` here, and the agent's `limits.streamsPerSession` and `sessionHeldBytes`.",
  },
  ERR_TUNNEL_PROTOCOL: {
    hop: "agent",
    owner: "Cluster Connect maintainers",
    summary: "the other end broke the tunnel's protocol",
    cause: "an agent or client of an incompatible version, or something in between that changes bytes.",
    remedy: "bring both ends to the same version; if they are, open an issue with both ends' logs.",
  },
  ERR_TUNNEL_HELLO_TIMEOUT: {
    hop: "agent",
    owner: "cluster operator",
    summary: "the other end did not introduce itself in time",
    cause: "the agent accepted the connection but is overloaded or hangs.",
    remedy: "look at the agent's log and CPU; restart it if it hangs.",
  },
  ERR_TUNNEL_PEER_SILENT: {
    hop: "relay",
    owner: "relay operator",
    summary: "the other end has fallen silent",
    cause:
      "its host went down, or the network drops packets without a word (a firewall that forgets idle connections does this).",
    remedy:
      "nothing if it happens once: a new link is made by itself. If it repeats, look for the hop that drops packets.",
  },
  ERR_TUNNEL_VERSION: {
    hop: "agent",
    owner: "cluster operator",
    summary: "the two ends speak different versions of the tunnel's protocol",
    cause: "client and agent come from releases that are too far apart.",
    remedy: "upgrade the older one; docs/versions.md says which work together.",
  },
  ERR_TUNNEL_WRONG_CLUSTER: {
    hop: "relay",
    owner: "relay operator",
    summary: "the agent at the other end serves another cluster",
    cause:
      "the relay joined this client with the wrong agent, or that agent is configured with another cluster's name.",
    remedy:
      "compare `cluster` in the agent's configuration with the cluster name asked for; do not go on until they agree.",
  },
  ERR_TUNNEL_HELLO_TOO_LONG: {
    hop: "agent",
    owner: "cluster operator",
    summary: "what this end would say of itself does not fit into one frame",
    cause: "the CA bundle is longer than 60 KiB.",
    remedy:
      "leave only the CA that signs the auth proxy's certificate, and the one before it while rotating.",
  },
});
