import type { ServerResponse } from "node:http";
import { Refusal } from "./answers";
import type { ChangeEvent, KubeObject, ObjectStore } from "./objects";

/** A reader that is this far behind has gone away. */
const maxUnreadBytes = 1_048_576;

export interface WatchRequest {
  readonly wants: (object: KubeObject) => boolean;
  /** Where it begins; undefined: with what there is now, each as ADDED. */
  readonly afterVersion: number | undefined;
  readonly timeoutSeconds: number | undefined;
  /** The client wants to be told where what there was ends (WatchList). */
  readonly marksInitialEnd: boolean;
}

/** Answers with one line of JSON an event, until the reader leaves or its time is over. */
export function answerWatch(
  response: ServerResponse,
  store: ObjectStore,
  kind: string,
  request: WatchRequest,
): void {
  const { wants, afterVersion, timeoutSeconds } = request;
  const past = afterVersion === undefined ? [] : store.eventsAfter(afterVersion);
  response.writeHead(200, { "Content-Type": "application/json" });
  response.flushHeaders();
  const write = (type: string, object: unknown) => {
    response.write(`${JSON.stringify({ type, object })}\n`);
    if (response.writableLength > maxUnreadBytes) response.destroy();
  };
  if (past === undefined) {
    write("ERROR", new Refusal(410, "too old resource version").status);
    return void response.end();
  }
  const send = ({ type, object }: ChangeEvent) => {
    if (object.kind === kind && wants(object)) write(type, object);
  };
  if (afterVersion === undefined) {
    for (const object of store.list(kind, undefined).filter(wants)) write("ADDED", object);
  }
  if (request.marksInitialEnd) {
    const annotations = { "k8s.io/initial-events-end": "true" };
    write("BOOKMARK", { kind, apiVersion: "v1", metadata: { resourceVersion: store.version, annotations } });
  }
  past.forEach(send);
  store.on("change", send);
  const timer =
    timeoutSeconds === undefined ? undefined : setTimeout(() => response.end(), timeoutSeconds * 1_000);
  response.once("close", () => {
    clearTimeout(timer);
    store.off("change", send);
  });
}
