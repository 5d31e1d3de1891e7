import { errorTable } from "./entry";

export const agentErrors = errorTable({
  ERR_AGENT_TARGET_UNREACHABLE: {
    hop: "agent",
    owner: "cluster operator",
    summary: "the agent cannot reach its target",
    cause: "the auth proxy is not running, still starting, or configured with another socket.",
    remedy: "look at the auth proxy's log, and compare target.socket with its listen.socket.",
  },
});
