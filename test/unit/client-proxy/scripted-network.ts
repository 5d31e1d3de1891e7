import type { ClusterConnectError } from "../../../src/runtime/errors";
import { silentLogger } from "../../../src/runtime/logger";
import type { AgentSession } from "../../../src/tunnel/session";
import { acceptAgentSession } from "../../../src/tunnel/session-agent";
import type { Transport } from "../../../src/tunnel/transport";
import { MemoryTransport } from "../../support/memory-transport";
import { identity, RawPeer } from "../tunnel/session-pair";

export type Outcome = () => Transport | ClusterConnectError;

/** A dial that plays `outcomes`, the last of them for ever, and an agent at the far end of each link. */
export class ScriptedNetwork {
  readonly agents: AgentSession[] = [];
  readonly links: MemoryTransport[] = [];
  readonly dialledAt: number[] = [];
  signal: AbortSignal | undefined;

  constructor(readonly outcomes: Outcome[] = [this.agent]) {}

  readonly dial = (signal: AbortSignal): Promise<Transport> => {
    this.signal = signal;
    this.dialledAt.push(Date.now());
    const outcome = (this.outcomes.length > 1 ? this.outcomes.shift()! : this.outcomes[0]!)();
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };

  /** An agent that plays by the rules. */
  get agent(): Outcome {
    return () => {
      const [near, far] = this.#link();
      const hello = { ...identity, sessionId: `session-${this.agents.length + 1}` };
      this.agents.push(acceptAgentSession(far, { logger: silentLogger, hello, onStream: () => undefined }));
      return near;
    };
  }

  /** Somebody who answers with this instead. */
  saying(hello: object): Outcome {
    return () => {
      const [near, far] = this.#link();
      new RawPeer(far).sendHello(hello);
      return near;
    };
  }

  silent: Outcome = () => {
    const [near, far] = this.#link();
    new RawPeer(far);
    return near;
  };

  /** Milliseconds between attempts. */
  get pauses(): number[] {
    return this.dialledAt.slice(1).map((at, index) => at - this.dialledAt[index]!);
  }

  #link(): [MemoryTransport, MemoryTransport] {
    const ends = MemoryTransport.pair();
    this.links.push(ends[1]);
    return ends;
  }
}
