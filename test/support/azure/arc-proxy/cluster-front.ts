import { request as httpsRequest, type RequestOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Journal } from "./journal";
import { answer } from "./local-api";
import type { State } from "./state";
import type { Way } from "./way";

/** The Kubernetes API as kubectl sees it through arcProxy. */
export class ClusterFront {
  constructor(
    private readonly journal: Journal,
    private readonly state: State,
    private readonly way: Way,
  ) {}

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      request.resume();
      return void response.writeHead(refusal.status, { "Content-Type": "text/plain" }).end(refusal.text);
    }
    try {
      const outgoing = httpsRequest(await this.#options(request));
      outgoing.on("response", (incoming) => {
        response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
        incoming.on("error", () => response.destroy()).pipe(response);
      });
      outgoing.on("error", () => response.destroy());
      response.on("close", () => outgoing.destroy());
      request.pipe(outgoing);
    } catch (error) {
      answer(response, 502, { message: String(error) });
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => undefined);
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return void socket.destroy();
    const outgoing = httpsRequest(await this.#options(request));
    outgoing.on("error", () => socket.destroy());
    outgoing.on("response", (incoming) => {
      socket.end(`HTTP/1.1 ${incoming.statusCode} ${incoming.statusMessage}\r\nContent-Length: 0\r\n\r\n`);
      incoming.resume();
    });
    outgoing.on("upgrade", (incoming, far, farHead) => {
      const lines = pairs(incoming.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
      far.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      socket.on("close", () => far.destroy());
      if (farHead.length > 0) socket.write(farHead);
      if (head.length > 0) far.write(head);
      far.pipe(socket);
      socket.pipe(far);
    });
    outgoing.end();
  }

  #refusal(request: IncomingMessage): { status: number; text: string } | undefined {
    const { agentGone, clusterStatus } = this.journal.faults;
    const { registration, identity, localToken, path } = this.state;
    if (registration === undefined || !(request.url ?? "").startsWith(`${path}/`)) {
      return { status: 404, text: "no such proxy" };
    }
    const shown = request.headers.authorization;
    if (shown !== `Bearer ${registration.userToken ?? localToken}`)
      return { status: 401, text: "who is that" };
    if (agentGone === true) {
      const text =
        "Cannot connect to the hybrid connection because no agent is connected in the target arc resource.";
      return { status: 500, text };
    }
    if (clusterStatus !== undefined) return { status: clusterStatus, text: "as the test wants it" };
    if (registration.expirationTime * 1_000 <= Date.now())
      return { status: 502, text: "relay token expired" };
    const { exp } = (identity?.claims ?? {}) as { exp?: number };
    const isOver = registration.userToken === undefined && (exp ?? 0) * 1_000 <= Date.now();
    return isOver ? { status: 401, text: "access token expired" } : undefined;
  }

  async #options(request: IncomingMessage): Promise<RequestOptions> {
    const { registration, identity, path } = this.state;
    const token = registration?.userToken ?? identity?.token ?? "";
    const target = (request.url ?? "").slice(path.length);
    const headers = pairs(request.rawHeaders).filter(
      ([name]) => !/^(authorization|host|x-ms-correlation-request-id)$/i.test(name),
    );
    const own = await this.way.headers(token, identity?.claims);
    return {
      ...(await this.way.connection()),
      method: request.method ?? "GET",
      path: target,
      headers: grouped([...headers, ...Object.entries(own)]),
      agent: false,
    };
  }
}

/** SPDY offers its versions in one line each. */
function grouped(lines: readonly (readonly [string, string])[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of lines) (headers[name] ??= []).push(value);
  return headers;
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? "", raw[2 * at + 1] ?? ""]);
}
