/** Raw HTTP answers to upgrade requests: until the 101, a status line is all that a WebSocket client can see. */
import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { lingerThenDestroy } from "./splice/linger";

const maxReasonCharacters = 400;
/** How long a refused caller may take to read why. */
const refusalLingerMs = 2_000;

/** Azure's form: a sentence, then what to quote to the relay's operator. */
export function trackedReason(sentence: string, id: string, host: string, path: string): string {
  const details = `TrackingId:${id}_G0, SystemTracker:sb://${host}/${path}, Timestamp:${new Date().toISOString()}`;
  return `${sentence}. ${details}`;
}

/** Printable Latin-1 only: a reason may hold text from a peer, and a line break in it would be a header. */
export function sanitizeReason(reason: string): string {
  return reason.replace(/[^\x20-\x7e\xa0-\xff]/g, " ").slice(0, maxReasonCharacters);
}

/** Answers with a status and closes. Further requests on the connection are not read. */
export function refuseUpgrade(
  socket: Socket,
  status: number,
  reason?: string,
  headers: readonly string[] = [],
): void {
  if (socket.destroyed) return;
  const phrase = sanitizeReason(reason ?? STATUS_CODES[status] ?? "");
  const lines = [
    `HTTP/1.1 ${String(status)} ${phrase}`,
    "Content-Length: 0",
    "Connection: close",
    ...headers,
  ];
  socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  lingerThenDestroy(socket, refusalLingerMs);
}

/** What the sender is told when a listener rejects it: an error status, whatever the listener said. */
export function rejectionStatus(rejection: { readonly status: number; readonly reason: string }): {
  status: number;
  reason: string;
} {
  const { status, reason } = rejection;
  const isError = Number.isInteger(status) && status >= 400 && status <= 599;
  return { status: isError ? status : 400, reason: reason === "" ? "Rejected by user code" : reason };
}

/** RFC 6455 §4.2.2. */
export function switchProtocols(socket: Socket, key: string, subprotocol: string | undefined): void {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
}
