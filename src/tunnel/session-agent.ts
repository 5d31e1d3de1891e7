import type { GoAwayCode } from "../protocol/codes";
import { clientHello } from "../protocol/hello";
import type { WireLimits } from "../protocol/limits";
import { protocolVersion } from "../protocol/subprotocol";
import { Violation, violation } from "../protocol/violation";
import type { AgentSession, AgentSessionOptions, SessionEnd } from "./session";
import { SessionCore, type SessionRole } from "./session-core";
import { SessionStream } from "./session-stream";
import type { Transport } from "./transport";

export type { AgentSession, AgentSessionOptions };

/** Starts the agent's end of a session on an open link. Throws ERR_TUNNEL_HELLO_TOO_LONG for a bundle that does not fit. */
export function acceptAgentSession(transport: Transport, options: AgentSessionOptions): AgentSession {
  return new Agent(transport, options);
}

class Agent implements AgentSession, SessionRole {
  readonly hello: Readonly<Record<string, string>>;
  readonly drained: Promise<void>;
  readonly #core: SessionCore;
  #isGoingAway = false;

  constructor(
    transport: Transport,
    private readonly options: AgentSessionOptions,
  ) {
    this.hello = { ...options.hello };
    this.#core = new SessionCore(transport, options, this);
    this.drained = this.#core.closed.then(() => undefined);
  }

  get closed(): Promise<SessionEnd> {
    return this.#core.closed;
  }

  get roundTripMs(): number | undefined {
    return this.#core.roundTripMs;
  }

  get openStreams(): number {
    return this.#core.openStreams;
  }

  close(reason: string): Promise<void> {
    return this.#core.close(reason);
  }

  goAway(code: GoAwayCode, reason: string): void {
    if (this.#isGoingAway) return;
    this.#isGoingAway = true;
    this.#core.sendGoAway(code, reason);
  }

  // SessionRole

  takeHello(json: unknown): WireLimits | Violation {
    const parsed = clientHello.safeParse(json);
    if (!parsed.success) return violation("HELLO is not a client's");
    const { version, client, limits } = parsed.data;
    if (version !== protocolVersion) {
      return new Violation("versionMismatch", `the client speaks version ${String(version)}`);
    }
    this.options.logger.debug("session.hello", { client });
    return limits;
  }

  takeOpen(id: number): Violation | undefined {
    const taken = this.#core.streams.takeOpen(id, this.#isGoingAway ? "goingAway" : undefined);
    if (taken instanceof SessionStream) this.options.onStream(taken);
    else if (taken instanceof Violation) return taken;
    return undefined;
  }

  /** A client that says so opens nothing more, which needs no answer. */
  takeGoAway(): void {
    return;
  }

  streamOver(): void {
    return;
  }

  ended(): void {
    return;
  }
}
