/**
 * The embedded Kubernetes API: small, but with the one rule that matters here, that whoever shows the auth proxy's
 * token must name the user they act for.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { answer, answerError, Refusal } from "./answers";
import { change } from "./changes";
import { discovery } from "./discovery";
import { handleExec } from "./exec";
import { answerLog } from "./log";
import { createObjects, type KubeObject, type ObjectStore } from "./objects";
import { readTarget, type Target } from "./resources";
import { answerReview, isReviewPath } from "./reviews";
import { answerWatch } from "./watch";

export function createKubernetesApi(certificate: { cert: string; key: string }, token: string): Server {
  const store = createObjects();
  const server = createServer({ ...certificate, ALPNProtocols: ["http/1.1"] });
  server.on("request", (request, response) => {
    handle(request, response, store, token).catch((error: unknown) => answerError(response, error));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => undefined);
    try {
      checkCaller(request, token);
      const { target } = read(request);
      const pod = target === undefined ? undefined : existing(store, target).metadata.name;
      if (target?.subresource !== "exec" || pod === undefined)
        throw new Refusal(404, "nothing to upgrade to");
      handleExec(request, socket, head, pod);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 400;
      socket.end(`HTTP/1.1 ${String(code)} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    }
  });
  return server;
}

/** Throws a Refusal unless the auth proxy asks, and for exactly one named user. */
function checkCaller(request: IncomingMessage, token: string): void {
  if (request.headers.authorization !== `Bearer ${token}`)
    throw new Refusal(401, "not the auth proxy's token");
  const users = request.headersDistinct["impersonate-user"] ?? [];
  if (users.length !== 1 || users[0] === "")
    throw new Refusal(401, "a request must act for exactly one user");
}

function read(request: IncomingMessage): {
  path: string;
  query: URLSearchParams;
  target: Target | undefined;
} {
  const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "https://demo");
  return { path, query, target: readTarget(path) };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  store: ObjectStore,
  token: string,
): Promise<void> {
  checkCaller(request, token);
  const { path, query, target } = read(request);
  const document = Object.hasOwn(discovery, path) ? discovery[path] : undefined;
  if (request.method === "GET" && document !== undefined) return answer(response, 200, document);
  if (isReviewPath(path)) return answerReview(request, response, path);
  if (target === undefined) throw new Refusal(404, "the server could not find the requested resource");
  if (target.subresource !== undefined) {
    if (target.resource.kind !== "Pod" || target.subresource !== "log")
      throw new Refusal(404, "not in the demo");
    existing(store, target);
    return answerLog(response, query.get("follow") === "true");
  }
  if (request.method === "GET") return answerRead(response, store, target, query);
  const { status, object } = await change(request, store, target, query.get("dryRun") === "All");
  answer(response, status, object);
}

/** Throws a Refusal when the object that the path names does not exist. */
function existing(store: ObjectStore, { resource, namespace, name = "" }: Target): KubeObject {
  const object = store.get({ kind: resource.kind, namespace, name });
  if (object === undefined) throw new Refusal(404, `${resource.plural} "${name}" not found`);
  return object;
}

function answerRead(
  response: ServerResponse,
  store: ObjectStore,
  target: Target,
  query: URLSearchParams,
): void {
  const { kind } = target.resource;
  if (target.name !== undefined) return answer(response, 200, existing(store, target));
  const wants = selector(target, query);
  if (["true", "1"].includes(query.get("watch") ?? "")) {
    const version = query.get("resourceVersion") ?? "";
    const timeout = query.get("timeoutSeconds");
    return answerWatch(response, store, kind, {
      wants,
      afterVersion: version === "" || version === "0" ? undefined : Number(version),
      timeoutSeconds: timeout === null ? undefined : Number(timeout),
      marksInitialEnd: query.get("sendInitialEvents") === "true",
    });
  }
  answer(response, 200, {
    apiVersion: "v1",
    kind: `${kind}List`,
    metadata: { resourceVersion: store.version },
    items: store.list(kind, target.namespace).filter(wants),
  });
}

/** By namespace, and by the one field that kubectl selects by when it waits for an object. */
function selector({ namespace }: Target, query: URLSearchParams): (object: KubeObject) => boolean {
  const [, name] = /^metadata\.name=(.+)$/.exec(query.get("fieldSelector") ?? "") ?? [];
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    (name === undefined || metadata.name === name);
}
