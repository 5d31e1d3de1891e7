import type { Logger } from "../runtime/logger";
import { messageOf } from "../runtime/errors";
import { splice } from "../tunnel/splice";
import type { TunnelStream } from "../tunnel/stream";
import type { AgentMetrics } from "./metrics";
import { encodeProxyHeader } from "./proxy-header";
import type { AgentSettings } from "./settings";
import { connectTarget } from "./target";

export interface StreamContext {
  readonly settings: AgentSettings;
  readonly sessionId: string;
  readonly metrics: AgentMetrics;
  readonly logger: Logger;
}

/** Joins one stream with a fresh connection to the target. Nothing that the peer sends has a say in where it goes. */
export async function handleStream(stream: TunnelStream, context: StreamContext): Promise<void> {
  const { settings, sessionId, metrics } = context;
  const logger = context.logger.child({ streamId: stream.id });
  metrics.streams.inc();
  try {
    const socket = await connectTarget(settings.target, settings.limits.connectTimeoutMs);
    if ("socket" in settings.target) socket.write(encodeProxyHeader(sessionId, stream.id));
    const { outcome, lostSide, afterEnd, ...rest } = await splice(socket, stream);
    if (outcome === "lost" && !afterEnd) metrics.streamsLost.inc({ side: lostSide ?? "stream" });
    logger.info("stream.closed", { outcome, lostSide, afterEnd, ...rest });
  } catch (error) {
    metrics.targetFailures.inc();
    logger.warn("target.unreachable", { reason: messageOf(error) });
    stream.reset("targetUnreachable", "the agent cannot reach its target");
  }
}
