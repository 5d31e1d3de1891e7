import { encodeHeader } from "../../../src/protocol/encode";
import { decodeMessage } from "../../../src/protocol/decode";
import { silentLogger } from "../../../src/runtime/logger";
import type {
  AgentSession,
  AgentSessionOptions,
  ClientSession,
  SessionOptions,
} from "../../../src/tunnel/session";
import { acceptAgentSession } from "../../../src/tunnel/session-agent";
import { openClientSession } from "../../../src/tunnel/session-client";
import { serverNameOf } from "../../../src/protocol/server-name";
import type { ResetCode, StreamHandler, TunnelStream } from "../../../src/tunnel/stream";
import type { Transport } from "../../../src/tunnel/transport";
import { MemoryTransport } from "../../support/memory-transport";
import { RecordingReceiver } from "../protocol/recording-receiver";

export const cluster = "plant-7";

export const identity = {
  agent: "agent/1",
  listenerId: "listener-1",
  sessionId: "session-1",
  cluster,
  serverName: serverNameOf(cluster),
  caBundle: "PEM",
};

export const agentHelloJson = { version: 1, ...identity, limits: {}, features: [] };
export const clientHelloJson = { version: 1, client: "client/1", limits: {}, features: [] };

/** Waits until `condition` holds, turn by turn of the event loop. */
export async function until(condition: () => boolean, turns = 100_000): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > turns) throw new Error(`still not: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Reads a stream, taking each chunk at once unless told to stall. */
export class Reader implements StreamHandler {
  readonly chunks: Buffer[] = [];
  bytes = 0;
  hasFinished = false;
  isClosed = false;
  drains = 0;
  loss: { code: ResetCode; reason: string; local: boolean } | undefined;
  #untaken = 0;

  constructor(
    readonly stream: TunnelStream,
    private isStalled = false,
  ) {
    stream.attach(this);
  }

  data(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    this.bytes += chunk.length;
    if (this.isStalled) this.#untaken += chunk.length;
    else this.stream.consumed(chunk.length);
  }

  drain(): void {
    this.drains += 1;
  }

  finished(): void {
    this.hasFinished = true;
  }

  reset(code: ResetCode, reason: string, local: boolean): void {
    this.loss = { code, reason, local };
  }

  closed(): void {
    this.isClosed = true;
  }

  /** Takes what was left, and everything from now on. */
  goOn(): void {
    this.isStalled = false;
    const bytes = this.#untaken;
    this.#untaken = 0;
    if (bytes > 0) this.stream.consumed(bytes);
  }

  get all(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

export interface Ends {
  readonly client: ClientSession;
  readonly agent: AgentSession;
  /** Streams as the agent was given them. */
  readonly accepted: TunnelStream[];
}

/** Client and agent over one link. */
export function join(
  [clientLink, agentLink]: readonly [Transport, Transport] = MemoryTransport.pair(),
  options: {
    client?: Partial<SessionOptions>;
    agent?: Partial<AgentSessionOptions>;
    onStream?: (stream: TunnelStream) => void;
  } = {},
): Ends {
  const accepted: TunnelStream[] = [];
  const agent = acceptAgentSession(agentLink, {
    logger: silentLogger,
    hello: identity,
    onStream(stream) {
      accepted.push(stream);
      options.onStream?.(stream);
    },
    ...options.agent,
  });
  const client = openClientSession(clientLink, {
    cluster,
    client: "client/1",
    logger: silentLogger,
    ...options.client,
  });
  return { client, agent, accepted };
}

/** The other end, played by the test: it sends any frames and writes down what it is sent. */
export class RawPeer {
  readonly received = new RecordingReceiver();
  readonly messages: Buffer[] = [];
  readonly closes: [number, string][] = [];
  answersPings = false;

  constructor(readonly link: MemoryTransport) {
    this.received.ping = (payload) => {
      this.received.frames.push(["PING", payload.toString("hex")]);
      if (this.answersPings) this.send(frame(0x03, 0, payload));
    };
    link.attach({
      message: (data) => {
        this.messages.push(data);
        decodeMessage(data, { messageBytes: 262_144, dataBytes: 65_536 }, this.received);
      },
      textMessage: () => undefined,
      drained: () => undefined,
      closed: (code, reason) => this.closes.push([code, reason]),
    });
  }

  /** One message with these frames in it. */
  send(...frames: Buffer[]): void {
    this.link.send(frames);
  }

  sendHello(hello: unknown): void {
    this.send(frame(0x01, 0, Buffer.from(JSON.stringify(hello))));
  }

  /** What came, by name, without HELLO, PING and PONG. */
  get frames(): unknown[][] {
    return this.received.frames.filter(([name]) => name !== "HELLO" && name !== "PING" && name !== "PONG");
  }

  named(name: string): unknown[][] {
    return this.received.frames.filter(([frameName]) => frameName === name);
  }
}

export function frame(type: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([encodeHeader(type, stream, payload.length), payload]);
}

export const open = (stream: number) => frame(0x10, stream);
export const data = (stream: number, payload: Buffer | string) => frame(0x11, stream, Buffer.from(payload));
export const fin = (stream: number) => frame(0x12, stream);
export const reset = (stream: number, code = 4) => frame(0x13, stream, u32(code));
export const credit = (stream: number, bytes: number) => frame(0x14, stream, u32(bytes));
export const ping = (text: string) => frame(0x02, 0, Buffer.from(text));

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An agent's session with a client played by the test, which has said HELLO unless told not to. */
export function agentWithRawClient(options: Partial<AgentSessionOptions> = {}, saysHello = true) {
  const [agentLink, clientLink] = MemoryTransport.pair();
  const accepted: TunnelStream[] = [];
  const agent = acceptAgentSession(agentLink, {
    logger: silentLogger,
    hello: identity,
    onStream: (stream) => accepted.push(stream),
    ...options,
  });
  const peer = new RawPeer(clientLink);
  if (saysHello) peer.sendHello(clientHelloJson);
  return { agent, peer, accepted, agentLink };
}

/** A client's session with an agent played by the test, which has said HELLO. */
export function clientWithRawAgent(options: Partial<SessionOptions> = {}) {
  const [clientLink, agentLink] = MemoryTransport.pair();
  const client = openClientSession(clientLink, {
    cluster,
    client: "client/1",
    logger: silentLogger,
    ...options,
  });
  const peer = new RawPeer(agentLink);
  peer.sendHello(agentHelloJson);
  return { client, peer, clientLink };
}
