import type { GoAwayCode } from "../protocol/codes";
import type { AgentHello } from "../protocol/hello";
import type { SessionLimits } from "../protocol/limits";
import type { ErrorCode } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { HeldMemory } from "./held-memory";
import type { TunnelStream } from "./stream";

/** What both ends of a session have in common. */
export interface Session {
  /** Resolves once, when the link is gone; never rejects. By then every open stream has been reset as `lost`. */
  readonly closed: Promise<SessionEnd>;
  /** The shortest round trip to the other end seen lately; undefined until the first. */
  readonly roundTripMs: number | undefined;
  readonly openStreams: number;
  /** Resets what is open and closes the link in order; resolves with `closed`. */
  close(reason: string): Promise<void>;
}

export interface SessionEnd {
  /** The WebSocket close code; see closeCodes. */
  readonly code: number;
  readonly reason: string;
  /** Closed in order, by either end. */
  readonly clean: boolean;
  /** Whether this end closed it. */
  readonly local: boolean;
  /** What it is called in the registry of errors; ERR_TUNNEL_CLOSED for a clean end. */
  readonly error: ErrorCode;
}

export interface ClientSession extends Session {
  /** Rejects with a ClusterConnectError when the session ends first. Streams can be opened before. */
  readonly agentHello: Promise<AgentHello>;
  /** Throws ERR_TUNNEL_GOING_AWAY, ERR_TUNNEL_CLOSED or ERR_TUNNEL_FULL. */
  open(): TunnelStream;
  /** Resolves when the agent has said that it takes no new streams. The session then closes itself after its last one. */
  readonly goingAway: Promise<void>;
}

export interface AgentSession extends Session {
  /** Takes no new streams from now on; those that are open go on. */
  goAway(code: GoAwayCode, reason: string): void;
  /** Resolves when, after `goAway`, no stream is open and none can be on its way; or when the session has ended. */
  readonly drained: Promise<void>;
}

export interface SessionOptions {
  readonly limits?: Partial<SessionLimits>;
  /** Shared by all sessions of a process; by default a session has one to itself. */
  readonly memory?: HeldMemory;
  readonly logger: Logger;
}

export interface ClientSessionOptions extends SessionOptions {
  /** The agent must name the same one. */
  readonly cluster: string;
  /** Name and version of this program, such as `cluster-connect/1.0.0`. */
  readonly client: string;
}

export interface AgentSessionOptions extends SessionOptions {
  readonly hello: Omit<AgentHello, "version" | "limits" | "features">;
  /** Called for every stream that the client opens; attach to it, or reset it. */
  onStream(stream: TunnelStream): void;
}
