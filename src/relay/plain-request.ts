import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers a request that is no WebSocket handshake. HTTP relaying is not part of this relay; a person should read why. */
export function answerPlainRequest(request: IncomingMessage, response: ServerResponse): void {
  const isEntity = request.url?.startsWith("/$hc/") === true;
  const text = isEntity
    ? "This endpoint is only for web-socket requests.\n"
    : "This is a Cluster Connect relay. It serves WebSocket requests under /$hc/ only.\n";
  response.writeHead(isEntity ? 400 : 404, {
    "Content-Type": "text/plain; charset=utf-8",
    Connection: "close",
  });
  response.end(text);
}
