import { ServerResponse, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { abortSocket } from "./abort-socket";
import { http1Exchange, type Exchange } from "./exchange";
import type { ForwardContext, Outcome } from "./forward-request";
import { headerLines, valuesOf } from "./header-lines";
import type { OutgoingHeaders } from "./outgoing-headers";
import type { StreamOrigin } from "./proxy-header";
import { isOwnCredentialRefused, relayAnswer } from "./relay-answer";
import { refuseExchange } from "./refuse";
import { splice, type SpliceEnd } from "./splice";
import type { UpgradeRequest } from "./upgrade-rules";
import { guardFor } from "./exec-status";
import { watchWaitingCaller } from "./waiting-caller";

/** A caller's connection that asks to become something else, with whatever bytes came after its request. */
export interface UpgradeArrival {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly origin: StreamOrigin;
}

export interface UpgradeOutcome extends Outcome {
  readonly splice?: SpliceEnd;
}

/**
 * The exchange in which an upgrade is answered with anything but a 101. Node has detached the connection from its
 * server by now: it carries this one answer and is closed, so that nothing can follow on it.
 */
export function refusableExchange({ request, socket, origin }: UpgradeArrival): Exchange {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on("drain", () => response.emit("drain")).on("error", () => undefined);
  response.once("finish", () => {
    response.detachSocket(socket);
    // Ends it, and lets go of it (see linger.ts): unread, it would never show that its caller has left.
    socket.destroySoon();
    response.emit("close");
  });
  const exchange = http1Exchange(request, response, { origin, expectsContinue: false });
  return { ...exchange, hasBody: false };
}

/** Asks the apiserver for the upgrade; joins the two connections after a 101, else passes its answer on. */
export async function forwardUpgrade(
  arrival: UpgradeArrival,
  exchange: Exchange,
  upgrade: UpgradeRequest,
  headers: OutgoingHeaders,
  context: ForwardContext & { readonly isRepeated?: boolean },
): Promise<UpgradeOutcome> {
  const { apiserver, deadline } = context;
  const { lingerMs, upgradeAnswerTimeoutMs } = context.limits;
  deadline.throwIfAborted();
  const { method, target } = exchange;
  const sentWith = apiserver.credential.authorization();
  return new Promise((resolve) => {
    const request = apiserver.upgradeRequest({ method, target, headers });
    let connected = false;
    let settled = false;
    const settle = (outcome: () => Promise<UpgradeOutcome> | UpgradeOutcome) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      stopWatching();
      resolve(outcome());
    };
    const failAs = (error: ClusterConnectError) =>
      settle(() => {
        request.destroy();
        if (exchange.isClosed()) return { status: 0, abandoned: true };
        return { status: refuseExchange(exchange, error, 0), error };
      });
    const fail = (reason: string) =>
      failAs(new ClusterConnectError(connected ? "ERR_APISERVER_LOST" : "ERR_APISERVER_UNREACHABLE", reason));
    deadline.addEventListener("abort", () => failAs(deadline.reason as ClusterConnectError));
    const stopWatching = watchWaitingCaller(arrival.socket, () => {
      abortSocket(arrival.socket);
      fail("the caller went away");
    });
    const timer = setTimeout(() => fail("the upgrade was not answered in time"), upgradeAnswerTimeoutMs);
    request
      .on("socket", (socket) => socket.once("secureConnect", () => (connected = true)))
      .on("error", (error) => fail(messageOf(error)))
      .on("close", () => fail("no answer"))
      .on("response", (response) =>
        settle(() => {
          if (!isOwnCredentialRefused(response, target, headers))
            return relayRefusal(response, arrival.socket, exchange, deadline);
          response.on("error", () => undefined).destroy();
          if (apiserver.credential.reread(sentWith) && context.isRepeated !== true) {
            return forwardUpgrade(arrival, exchange, upgrade, headers, { ...context, isRepeated: true });
          }
          const error = new ClusterConnectError("ERR_APISERVER_REFUSED_PROXY");
          return { status: refuseExchange(exchange, error, 0), error };
        }),
      )
      .on("upgrade", (response, socket: Socket, head) =>
        settle(() => join(arrival, upgrade, { response, socket, head }, { lingerMs, deadline })),
      )
      .end();
  });
}

/** An answer other than 101, passed on whole; both connections end with it. */
function relayRefusal(
  response: IncomingMessage,
  caller: Socket,
  exchange: Exchange,
  deadline: AbortSignal,
): Promise<UpgradeOutcome> {
  const status = response.statusCode ?? 0;
  return new Promise((resolve) => {
    exchange.out.once("close", () => response.destroy());
    // Whatever he still sends is for nobody; unread, it would hide that he leaves.
    caller.once("end", () => abortSocket(caller)).resume();
    const cut = relayAnswer(response, exchange, (error) =>
      resolve({ status, ...(error === undefined ? {} : { error }) }),
    );
    deadline.addEventListener("abort", () => cut(deadline.reason as ClusterConnectError));
  });
}

interface Switched {
  readonly response: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

async function join(
  arrival: UpgradeArrival,
  upgrade: UpgradeRequest,
  { response, socket: apiserver, head }: Switched,
  options: { readonly lingerMs: number; readonly deadline: AbortSignal },
): Promise<UpgradeOutcome> {
  const caller = arrival.socket;
  const lines = headerLines(response.rawHeaders);
  const [switchedTo] = valuesOf(lines, "upgrade");
  if (caller.destroyed || switchedTo?.toLowerCase() !== upgrade.protocol.toLowerCase()) {
    apiserver.on("error", () => undefined);
    abortSocket(apiserver);
    abortSocket(caller);
    return {
      status: 101,
      error: new ClusterConnectError("ERR_APISERVER_LOST", "it switched to another protocol"),
    };
  }
  const headLines = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  caller.write(`HTTP/1.1 101 Switching Protocols\r\n${headLines}\r\n`, "latin1");
  // Put back, so that every byte takes the one way through the splice.
  if (head.length > 0) apiserver.unshift(head);
  if (arrival.head.length > 0) caller.unshift(arrival.head);
  const joined = splice(caller, apiserver, {
    guard: guardFor(arrival.request.url ?? "", upgrade, lines),
    ...options,
  });
  caller.resume();
  const end = await joined;
  const error = errorOfEnd(end, options.deadline);
  return { status: 101, splice: end, ...(error === undefined ? {} : { error }) };
}

function errorOfEnd({ end }: SpliceEnd, deadline: AbortSignal): ClusterConnectError | undefined {
  if (end === "expired") return deadline.reason as ClusterConnectError;
  if (end !== "apiserver lost") return undefined;
  return new ClusterConnectError("ERR_APISERVER_LOST", "in the middle of an upgraded connection");
}
