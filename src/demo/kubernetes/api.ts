/**
 * The embedded Kubernetes API: small, but with the one rule that matters here, that whoever shows the auth proxy's
 * token must name the user they act for.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { discovery } from "./discovery";
import { handleExec } from "./exec";
import { createObjects, namespace, type KubeObject, type ObjectStore } from "./objects";

const kinds: Readonly<Record<string, string>> = { pods: "Pod", configmaps: "ConfigMap" };
const maxBodyBytes = 1_048_576;
const objectPath = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(pods|configmaps)(?:\/([^/]+))?(\/log|\/exec)?$/;

export function createKubernetesApi(certificate: { cert: string; key: string }, token: string): Server {
  const store = createObjects();
  const server = createServer({ ...certificate, ALPNProtocols: ["http/1.1"] });
  server.on("request", (request, response) => {
    const refusal = whyRefused(request, token);
    if (refusal !== undefined) return refuse(response, 401, refusal);
    handle(request, response, store).catch(() => refuse(response, 400, "the request cannot be read"));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const isExec = objectPath.exec(pathOf(request))?.[4] === "/exec";
    if (whyRefused(request, token) === undefined && isExec) handleExec(request, socket, head);
    else socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  return server;
}

function whyRefused(request: IncomingMessage, token: string): string | undefined {
  if (request.headers.authorization !== `Bearer ${token}`) return "not the auth proxy's token";
  const user = request.headersDistinct["impersonate-user"] ?? [];
  return user.length === 1 && user[0] !== "" ? undefined : "a request must act for exactly one user";
}

const pathOf = (request: IncomingMessage) => new URL(request.url ?? "/", "https://demo").pathname;

async function handle(request: IncomingMessage, response: ServerResponse, store: ObjectStore): Promise<void> {
  const path = pathOf(request);
  const document = discovery[path];
  if (request.method === "GET" && document !== undefined) return answer(response, 200, document);
  if (path.endsWith("reviews")) return answerReview(request, response, path);
  const [, inNamespace, resource = "", name, subresource] = objectPath.exec(path) ?? [];
  const kind = kinds[resource];
  if (kind === undefined || (inNamespace !== undefined && inNamespace !== namespace)) {
    return refuse(response, 404, "the server could not find the requested resource");
  }
  if (subresource === "/log") return answerLog(response);
  await answerObjects(request, response, store, kind, name);
}

async function answerObjects(
  request: IncomingMessage,
  response: ServerResponse,
  store: ObjectStore,
  kind: string,
  name: string | undefined,
): Promise<void> {
  const { searchParams } = new URL(request.url ?? "/", "https://demo");
  if (request.method === "POST" || request.method === "PUT") {
    const {
      apiVersion: _,
      kind: __,
      metadata,
      ...fields
    } = (await readBody(request)) as unknown as KubeObject;
    return answer(response, request.method === "POST" ? 201 : 200, store.put(kind, metadata.name, fields));
  }
  if (searchParams.get("watch") !== null && searchParams.get("watch") !== "false")
    return watch(response, store, kind);
  if (name === undefined) {
    return answer(response, 200, {
      apiVersion: "v1",
      kind: `${kind}List`,
      metadata: { resourceVersion: store.version },
      items: store.list(kind),
    });
  }
  const object = request.method === "DELETE" ? store.delete(kind, name) : store.get(kind, name);
  return object === undefined
    ? refuse(response, 404, `${kind} "${name}" not found`)
    : answer(response, 200, object);
}

function watch(response: ServerResponse, store: ObjectStore, kind: string): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.flushHeaders();
  const send = (type: string, object: KubeObject) => {
    if (object.kind === kind) response.write(`${JSON.stringify({ type, object })}\n`);
  };
  for (const object of store.list(kind)) send("ADDED", object);
  store.on("change", send);
  response.on("close", () => store.off("change", send));
}

function answerLog(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.end("hello from a pod behind a firewall\n");
}

/** Everybody may do everything here; what is shown is who everybody is. */
async function answerReview(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const { spec } = await readBody(request);
  const groups = [...(request.headersDistinct["impersonate-group"] ?? []), "system:authenticated"];
  const username = utf8(request.headers["impersonate-user"]);
  const all = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }];
  const status = path.endsWith("selfsubjectreviews")
    ? { userInfo: { username, groups } }
    : path.endsWith("selfsubjectrulesreviews")
      ? { incomplete: false, resourceRules: all, nonResourceRules: [] }
      : { allowed: true };
  const [, , group = "", , resource = ""] = path.split("/");
  const kind = { selfsubjectreviews: "SelfSubjectReview", selfsubjectrulesreviews: "SelfSubjectRulesReview" }[
    resource
  ];
  answer(response, 201, {
    apiVersion: `${group}/v1`,
    kind: kind ?? "SelfSubjectAccessReview",
    metadata: {},
    ...(spec === undefined ? {} : { spec }),
    status,
  });
}

/** Header values are bytes; Node reads them as Latin-1. */
const utf8 = (value: string | string[] | undefined) =>
  Buffer.from(String(value ?? ""), "latin1").toString("utf8");

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new Error("too long");
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  const reason = code === 404 ? "NotFound" : code === 401 ? "Unauthorized" : "BadRequest";
  answer(response, code, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    code,
  });
}
