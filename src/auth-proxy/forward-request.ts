import type { ClientRequest, IncomingMessage } from "node:http";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Apiserver } from "./apiserver";
import type { Exchange } from "./exchange";
import type { OutgoingHeaders } from "./outgoing-headers";
import { isOwnCredentialRefused, relayAnswer } from "./relay-answer";
import { drainUpload, refuseExchange } from "./refuse";
import type { AuthProxyLimits } from "./settings";

export interface Outcome {
  readonly status: number;
  /** Why it was refused or cut; absent when the apiserver's whole answer was passed on. */
  readonly error?: ClusterConnectError;
  /** The caller went away before the end. */
  readonly abandoned?: boolean;
}

export interface ForwardContext {
  readonly apiserver: Apiserver;
  readonly limits: AuthProxyLimits;
  /** Aborted, with a ClusterConnectError, when the request has run as long as it may. */
  readonly deadline: AbortSignal;
}

/** Passes a request to the apiserver and its answer back, both as streams. Resolves when the exchange is over. */
export async function forwardRequest(
  exchange: Exchange,
  headers: OutgoingHeaders,
  context: ForwardContext,
): Promise<Outcome> {
  if (exchange.isClosed()) return { status: 0, abandoned: true };
  context.deadline.throwIfAborted();
  return new Promise((resolve) => new Forwarding(exchange, headers, context, resolve).attempt());
}

class Forwarding {
  #request: ClientRequest | undefined;
  #attempts = 0;
  #sentWith: string | undefined;
  #status = 0;
  #error: ClusterConnectError | undefined;
  /** Set once the answer was ended here; Node says "finish" of one that the caller has reset as well. */
  #ended = false;
  /** Cuts the answer that is being passed on; undefined before there is one. */
  #cutAnswer: ((because: ClusterConnectError) => void) | undefined;

  constructor(
    private readonly exchange: Exchange,
    private readonly headers: OutgoingHeaders,
    private readonly context: ForwardContext,
    private readonly resolve: (outcome: Outcome) => void,
  ) {
    exchange.out.once("close", () => this.#over());
    exchange.out.on("error", () => this.#request?.destroy());
    const { deadline } = context;
    const cut = () => this.#cut(deadline.reason as ClusterConnectError);
    deadline.addEventListener("abort", cut);
    exchange.out.once("close", () => deadline.removeEventListener("abort", cut));
  }

  attempt(): void {
    this.#attempts += 1;
    const { apiserver } = this.context;
    this.#sentWith = apiserver.credential.authorization();
    const { method, target } = this.exchange;
    const request = apiserver.request({ method, target, headers: this.headers });
    this.#request = request;
    const state = { connected: false, answered: false };
    request
      .on("socket", (socket) => {
        if (request.reusedSocket) state.connected = true;
        else socket.once("secureConnect", () => (state.connected = true));
      })
      .on("response", (response) => {
        state.answered = true;
        this.#answer(response);
      })
      // Once an answer has begun, its own end tells what became of it: an early 413 outranks the reset after it.
      .on("error", (error) => {
        if (!state.answered && this.#request === request)
          this.#fail(error, state.connected, request.reusedSocket);
      })
      // A 101 that nobody asked for closes the request without an error.
      .on("close", () => {
        if (!state.answered && this.#request === request) this.#fail(new Error("no answer"), true, false);
      });
    if (this.exchange.hasBody) this.#upload(request);
    else request.end();
  }

  #upload(request: ClientRequest): void {
    const { exchange } = this;
    exchange.sendContinue();
    exchange.body
      .once("end", () => (exchange.bodyWasCut() ? request.destroy() : request.end()))
      .once("error", () => request.destroy())
      .once("aborted", () => request.destroy());
    exchange.body.pipe(request, { end: false });
  }

  #answer(response: IncomingMessage): void {
    const { exchange } = this;
    if (isOwnCredentialRefused(response, exchange.target, this.headers))
      return this.#ownCredentialRefused(response);
    this.#status = response.statusCode ?? 0;
    this.#cutAnswer = relayAnswer(response, exchange, (error) => {
      this.#error = error;
      this.#ended = error === undefined;
      if (this.#ended) drainUpload(exchange, this.context.limits.uploadDrainMs);
    });
    response.once("close", () => {
      // Not needed any more, and Node keeps the connection open for the rest of the upload otherwise.
      if (exchange.hasBody && !this.#request?.writableFinished) this.#request?.destroy();
    });
  }

  /** Reads its token again, and tries once more if that is another one and nothing of the request is gone. */
  #ownCredentialRefused(response: IncomingMessage): void {
    const request = this.#request;
    this.#request = undefined;
    response.on("error", () => undefined).resume();
    const isNewToken = this.context.apiserver.credential.reread(this.#sentWith);
    if (isNewToken && !this.exchange.hasBody && this.#attempts === 1) return this.attempt();
    request?.destroy();
    this.#refuse(new ClusterConnectError("ERR_APISERVER_REFUSED_PROXY"));
  }

  #fail(error: Error, connected: boolean, reusedSocket: boolean): void {
    this.#request = undefined;
    const { method, hasBody } = this.exchange;
    // A kept connection that the apiserver closed at the very moment it was used; nothing was done with it.
    const isReadOnly = method === "GET" || method === "HEAD" || method === "OPTIONS";
    if (reusedSocket && isReadOnly && !hasBody && this.#attempts === 1 && !this.exchange.isClosed()) {
      return this.attempt();
    }
    const code = connected ? "ERR_APISERVER_LOST" : "ERR_APISERVER_UNREACHABLE";
    this.#refuse(new ClusterConnectError(code, messageOf(error), { cause: error }));
  }

  /** Once the head of an answer is out, nothing can be said any more but that the rest will not come. */
  #cut(because: ClusterConnectError): void {
    if (this.#cutAnswer !== undefined) return this.#cutAnswer(because);
    const request = this.#request;
    this.#request = undefined;
    request?.destroy();
    if (this.#error === undefined) this.#refuse(because);
  }

  #refuse(error: ClusterConnectError): void {
    this.#error = error;
    if (this.exchange.isClosed()) return this.#over();
    this.#status = refuseExchange(this.exchange, error, this.context.limits.uploadDrainMs);
  }

  #over(): void {
    const request = this.#request;
    this.#request = undefined;
    const isWhole = this.#ended && this.exchange.out.writableFinished;
    if (!isWhole) request?.destroy();
    this.resolve({
      status: this.#status,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(isWhole || this.#error !== undefined ? {} : { abandoned: true }),
    });
  }
}
