/**
 * The TLS server at the end of every path, in the apiserver's place:
 * `GET /kib` answers 1 KiB, `GET /down?bytes=N` that many bytes, `PUT /up` takes a body, `GET /watch` stays open and
 * gets a line for each `POST /event`. Everything that a proof of readiness asks for is answered too.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

const kib = Buffer.alloc(1_024, "k");
const chunk = Buffer.alloc(64 * 1_024, "c");
const watches = new Set<ServerResponse>();

export async function run(options: { certPem: string; keyPem: string }): Promise<{ port: number }> {
  const server = createServer({ cert: options.certPem, key: options.keyPem, requestTimeout: 0 }, answer);
  server.keepAliveTimeout = 0;
  server.on("connection", (socket: Socket) => socket.setNoDelay(true).on("error", () => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "https://target");
  request.resume();
  switch (pathname) {
    case "/kib":
      response.writeHead(200, { "Content-Length": kib.length }).end(kib);
      return;
    case "/down":
      sendBytes(response, Number(searchParams.get("bytes")));
      return;
    case "/up":
      request.once("end", () => response.writeHead(200, { "Content-Length": 0 }).end());
      return;
    case "/watch":
      watches.add(response);
      response.once("close", () => watches.delete(response));
      response.writeHead(200, { "Content-Type": "application/json" }).flushHeaders();
      return;
    case "/event":
      for (const watch of watches) watch.write('{"type":"ADDED"}\n');
      response.writeHead(200, { "Content-Length": 0 }).end();
      return;
    default:
      answerProof(pathname, response);
  }
}

function sendBytes(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const send = () => {
    while (left > 0 && !response.destroyed) {
      const piece = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    response.end();
  };
  response.on("drain", send);
  response.writeHead(200, { "Content-Length": bytes });
  send();
}

function answerProof(pathname: string, response: ServerResponse): void {
  const send = (status: number, body: unknown) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  if (pathname === "/version") return void send(200, { major: "1", minor: "36", gitVersion: "v1.36.3" });
  if (pathname.endsWith("/selfsubjectreviews")) {
    return void send(201, {
      kind: "SelfSubjectReview",
      status: { userInfo: { username: "bench", groups: [] } },
    });
  }
  if (pathname.endsWith("/selfsubjectrulesreviews")) {
    const resourceRules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
    return void send(201, { status: { incomplete: false, resourceRules } });
  }
  send(404, { kind: "Status", apiVersion: "v1", status: "Failure", code: 404, reason: "NotFound" });
}
