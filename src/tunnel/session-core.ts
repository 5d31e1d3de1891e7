/**
 * What both ends of a session share: it owns the link, hands frames to their streams, and ends once. The two roles
 * differ in their HELLO and in who opens streams; see session-client.ts and session-agent.ts.
 */
import { closeCodes, goAwayCodes, type CloseCode, type GoAwayCode } from "../protocol/codes";
import { decodeMessage, type FrameReceiver } from "../protocol/decode";
import { encodeGoAway, encodeHello, encodePing } from "../protocol/encode";
import { frameType } from "../protocol/frames";
import { announcedLimits, defaultLimits, type SessionLimits, type WireLimits } from "../protocol/limits";
import { protocolVersion } from "../protocol/subprotocol";
import { Violation, violation } from "../protocol/violation";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { HeldMemory } from "./held-memory";
import { Liveness } from "./liveness";
import { Outbox } from "./outbox";
import { SessionPath } from "./path-estimate";
import { OutstandingPing } from "./ping";
import type { Session, SessionEnd, SessionOptions } from "./session";
import { endOfLink, localEnd } from "./session-end";
import { StreamTable } from "./stream-table";
import type { Transport } from "./transport";

/** What one end does differently from the other. */
export interface SessionRole {
  /** The members of this end's HELLO beside version, limits and features. */
  readonly hello: Readonly<Record<string, string>>;
  /** Checks the other end's HELLO; returns what it allows, or how it is wrong. */
  takeHello(json: unknown): WireLimits | Violation;
  takeOpen(stream: number): Violation | undefined;
  takeGoAway(code: number, reason: string): void;
  /** A stream is over. */
  streamOver(): void;
  /** The session is over: called once, before its streams are told. */
  ended(end: SessionEnd): void;
}

export class SessionCore implements Session, FrameReceiver {
  readonly closed: Promise<SessionEnd>;
  readonly streams: StreamTable;
  readonly #logger: Logger;
  readonly #limits: SessionLimits;
  /** What the other end has been told, and is held to. */
  readonly #announced: WireLimits;
  readonly #outbox: Outbox;
  readonly #liveness: Liveness;
  readonly #path = new SessionPath();
  readonly #ping = new OutstandingPing();
  #resolveClosed: (end: SessionEnd) => void = () => undefined;
  #end: SessionEnd | undefined;
  #hasPeerHello = false;
  #isReadingPaused = false;
  #receivedBytes = 0;
  #ticksSincePing = 0;
  #exchangedAtPing = 0;

  constructor(
    private readonly transport: Transport,
    options: SessionOptions,
    private readonly role: SessionRole,
  ) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#announced = announcedLimits(this.#limits);
    this.#logger = options.logger;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#outbox = new Outbox(transport, this.#limits);
    const memory = new HeldMemory(this.#limits.heldBytes, options.memory);
    this.streams = new StreamTable(this.#outbox, this.#limits, memory, this.#path, () => role.streamOver());
    this.#outbox.control(encodeOwnHello(role.hello, this.#announced));
    this.#liveness = new Liveness(this.#limits, {
      ask: () => this.#sendPing(),
      dead: () => this.#die(),
      missing: () => this.end("helloTimeout", "no HELLO in time"),
      tick: () => this.#tick(),
    });
    transport.attach({
      message: (data) => this.#message(data),
      textMessage: () => this.end("protocolViolation", "text message"),
      drained: () => this.#drained(),
      closed: (code, reason) => this.#linkClosed(code, reason),
    });
  }

  get roundTripMs(): number | undefined {
    return this.#path.roundTripMs;
  }

  get openStreams(): number {
    return this.streams.size;
  }

  async close(reason: string): Promise<void> {
    this.end("finished", reason);
    await this.closed;
  }

  sendGoAway(code: GoAwayCode, reason: string): void {
    this.#outbox.control(encodeGoAway(goAwayCodes[code], reason));
  }

  /** Ends the session from here: the one way out, whatever was wrong. Later calls change nothing. */
  end(code: CloseCode, reason: string): void {
    if (this.#end !== undefined) return;
    if (code === "finished") this.#outbox.flush();
    this.#stop(localEnd(code, reason));
    this.transport.close(closeCodes[code], reason);
  }

  // FrameReceiver

  get isDone(): boolean {
    return this.#end !== undefined;
  }

  admit(type: number): Violation | undefined {
    if (this.#hasPeerHello === (type !== frameType.hello)) return undefined;
    return violation(this.#hasPeerHello ? "second HELLO" : "the first frame is not HELLO");
  }

  hello(text: string): Violation | undefined {
    const limits = this.role.takeHello(parseJson(text));
    if (limits instanceof Violation) return limits;
    this.#hasPeerHello = true;
    this.#liveness.heardHello();
    this.streams.peerAllows(limits);
    this.#sendPing();
    return undefined;
  }

  ping(payload: Buffer): undefined {
    this.#outbox.control(encodePing(frameType.pong, payload));
  }

  pong(payload: Buffer): undefined {
    const answer = this.#ping.answered(payload, performance.now(), this.#exchangedBytes);
    if (answer === undefined) return;
    this.#path.measured(answer.roundTripMs, answer.wasIdle);
    this.streams.resetHere.pongReceived();
    if (this.#path.isNew) this.#sendPing();
    else this.#pingForResets();
  }

  goAway(code: number, reason: string): undefined {
    this.role.takeGoAway(code, reason);
  }

  open(stream: number): Violation | undefined {
    const problem = this.role.takeOpen(stream);
    this.#pingForResets();
    return problem;
  }

  data(stream: number, payload: Buffer): Violation | undefined {
    return this.streams.takeData(stream, payload);
  }

  finish(stream: number): Violation | undefined {
    return this.streams.takeFinish(stream);
  }

  reset(stream: number, code: number, reason: string): Violation | undefined {
    return this.streams.takeReset(stream, code, reason);
  }

  credit(stream: number, bytes: number): Violation | undefined {
    return this.streams.takeCredit(stream, bytes);
  }

  // The link

  #message(data: Buffer): void {
    if (this.#end !== undefined) return;
    this.#liveness.heard();
    this.#receivedBytes += data.length;
    const problem = decodeMessage(data, this.#announced, this);
    if (problem !== undefined) return this.end(problem.code, problem.reason);
    if (!this.#outbox.isCongested) return;
    this.#outbox.flush();
    if (!this.#outbox.isCongested) return;
    this.#isReadingPaused = true;
    this.transport.pause();
  }

  #drained(): void {
    if (this.#end !== undefined) return;
    this.#outbox.flush();
    if (!this.#isReadingPaused || this.#outbox.isCongested) return;
    this.#isReadingPaused = false;
    this.transport.resume();
  }

  #linkClosed(code: number, reason: string): void {
    this.#stop(endOfLink(code, reason));
    if (this.#end !== undefined) this.#resolveClosed(this.#end);
  }

  /** A dead peer answers no close either. */
  #die(): void {
    this.#stop(localEnd("peerSilent", `nothing for ${String(this.#limits.deadAfterMs)} ms`));
    this.transport.abort();
  }

  #stop(end: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#liveness.stop();
    this.#outbox.close();
    const { code, reason, clean, local } = end;
    this.#logger[clean ? "info" : "warn"]("session.ended", {
      code,
      reason,
      local,
      streams: this.streams.size,
    });
    this.role.ended(end);
    this.streams.loseAll(reason === "" ? "the session ended" : reason);
  }

  // Looking after the way

  get #exchangedBytes(): number {
    return this.#receivedBytes + this.#outbox.sentBytes;
  }

  #sendPing(): void {
    if (this.#ping.isUnderWay) return;
    this.#ticksSincePing = 0;
    this.#exchangedAtPing = this.#exchangedBytes;
    this.streams.resetHere.pingSent();
    this.#outbox.control(
      encodePing(frameType.ping, this.#ping.start(performance.now(), this.#exchangedBytes)),
    );
  }

  #pingForResets(): void {
    const { size } = this.streams.resetHere;
    if (size > resetsBeforePing) this.#sendPing();
    if (size > maxResets) this.end("limitExceeded", "streams were reset and this was not acknowledged");
  }

  #tick(): void {
    this.streams.tick();
    this.#pingForResets();
    this.#ticksSincePing += 1;
    const isUsed = this.#exchangedBytes - this.#exchangedAtPing > usedBytes;
    if (isUsed && this.#ticksSincePing >= ticksBetweenSamples) this.#sendPing();
  }
}

/** The round trip is measured anew this often while the session is in use (a tick is a tenth of `pingAfterMs`). */
const ticksBetweenSamples = 5;
/** More than a PING and its PONG. */
const usedBytes = 64;
/** Streams that were reset here are forgotten with a PONG, which is asked for at the first number. */
const resetsBeforePing = 64;
const maxResets = 65_536;

/** Throws ERR_TUNNEL_HELLO_TOO_LONG. */
function encodeOwnHello(members: Readonly<Record<string, string>>, limits: WireLimits): Buffer {
  try {
    return encodeHello({ version: protocolVersion, ...members, limits, features: [] });
  } catch (error) {
    throw new ClusterConnectError("ERR_TUNNEL_HELLO_TOO_LONG", messageOf(error), { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
