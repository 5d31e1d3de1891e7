import { goAwayCodeName } from "../protocol/codes";
import { agentHello, type AgentHello } from "../protocol/hello";
import type { WireLimits } from "../protocol/limits";
import { serverNameOf } from "../protocol/server-name";
import { protocolVersion } from "../protocol/subprotocol";
import { Violation, violation } from "../protocol/violation";
import { ClusterConnectError } from "../runtime/errors";
import type { ClientSession, ClientSessionOptions, SessionEnd } from "./session";
import { SessionCore, type SessionRole } from "./session-core";
import { sessionEndError } from "./session-end";
import type { TunnelStream } from "./stream";
import type { Transport } from "./transport";

export type { ClientSession, ClientSessionOptions };

/** Starts the client's end of a session on an open link. HELLO is sent at once; streams may be opened at once. */
export function openClientSession(transport: Transport, options: ClientSessionOptions): ClientSession {
  return new Client(transport, options);
}

class Client implements ClientSession, SessionRole {
  readonly hello: Readonly<Record<string, string>>;
  readonly agentHello: Promise<AgentHello>;
  readonly goingAway: Promise<void>;
  readonly #core: SessionCore;
  #settleHello: { resolve: (hello: AgentHello) => void; reject: (error: Error) => void } | undefined;
  #resolveGoingAway: () => void = () => undefined;
  #isGoingAway = false;
  #end: SessionEnd | undefined;

  constructor(
    transport: Transport,
    private readonly options: ClientSessionOptions,
  ) {
    this.hello = { client: options.client };
    this.agentHello = new Promise((resolve, reject) => (this.#settleHello = { resolve, reject }));
    // Whoever waits for it is told; nobody has to.
    this.agentHello.catch(() => undefined);
    this.goingAway = new Promise((resolve) => (this.#resolveGoingAway = resolve));
    this.#core = new SessionCore(transport, options, this);
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

  open(): TunnelStream {
    if (this.#end !== undefined) throw sessionEndError(this.#end);
    if (this.#isGoingAway) throw new ClusterConnectError("ERR_TUNNEL_GOING_AWAY");
    return this.#core.streams.open();
  }

  // SessionRole

  takeHello(json: unknown): WireLimits | Violation {
    const parsed = agentHello.safeParse(json);
    if (!parsed.success) return violation("HELLO is not an agent's");
    const hello = parsed.data;
    if (hello.version !== protocolVersion) {
      return new Violation("versionMismatch", `the agent speaks version ${String(hello.version)}`);
    }
    const { cluster } = this.options;
    if (hello.cluster !== cluster || hello.serverName !== serverNameOf(cluster)) {
      return new Violation("wrongCluster", "the agent serves another cluster");
    }
    this.#settleHello?.resolve(hello);
    return hello.limits;
  }

  takeOpen(): Violation {
    return violation("OPEN from an agent");
  }

  takeGoAway(code: number, reason: string): void {
    this.options.logger.info("session.goingAway", { code: goAwayCodeName(code), reason });
    this.#isGoingAway = true;
    this.#resolveGoingAway();
    this.streamOver();
  }

  /** Only the client knows that no OPEN of its own is on its way, so it is the one to close what has been drained. */
  streamOver(): void {
    if (!this.#isGoingAway) return;
    queueMicrotask(() => {
      if (this.#core.openStreams === 0) this.#core.end("finished", "drained");
    });
  }

  ended(end: SessionEnd): void {
    this.#end = end;
    this.#settleHello?.reject(sessionEndError(end));
  }
}
