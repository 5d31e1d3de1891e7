import type { IncomingMessage } from "node:http";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Exchange } from "./exchange";
import { headerLines } from "./header-lines";
import { endToEndLines, isSelfDelimited } from "./response-headers";

/**
 * Passes the apiserver's answer on as it comes, with back-pressure. `done` is called once: without an error when
 * all of it is there, else after which the caller's side is aborted, never ended. Returns what cuts it before that.
 */
export function relayAnswer(
  response: IncomingMessage,
  exchange: Exchange,
  done: (error?: ClusterConnectError) => void,
): (because: ClusterConnectError) => void {
  const status = response.statusCode ?? 0;
  const lines = headerLines(response.rawHeaders);
  let isOver = false;
  const finish = (cutBecause?: ClusterConnectError) => {
    if (isOver) return;
    isOver = true;
    if (cutBecause === undefined) {
      exchange.out.end();
      return done();
    }
    response.destroy();
    done(cutBecause);
    exchange.abort();
  };
  const lost = (detail: string) => finish(new ClusterConnectError("ERR_APISERVER_LOST", detail));
  response.on("error", () => undefined);
  try {
    exchange.begin(status, endToEndLines(lines));
  } catch (error) {
    lost(`its answer cannot be passed on: ${messageOf(error)}`);
    return finish;
  }
  response
    .once("end", () =>
      isSelfDelimited(exchange.method, status, lines) ? finish() : lost("an answer without a marked end"),
    )
    .once("close", () => lost("in the middle of its answer"));
  response.pipe(exchange.out, { end: false });
  return finish;
}

/**
 * Whether a 401 speaks of the proxy itself: with impersonation the apiserver gives one to nobody else. Behind
 * `…/proxy/` a pod, a service or a node answers, and its 401 is the caller's.
 */
export function isOwnCredentialRefused(
  response: IncomingMessage,
  target: string,
  sent: { readonly carriesOwnCredential: boolean },
): boolean {
  return sent.carriesOwnCredential && response.statusCode === 401 && !/^[^?]*\/proxy(\/|\?|$)/.test(target);
}
