/** What an apiserver sends over an exec's WebSocket, frame by frame. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

export const execPath = "/api/v1/namespaces/default/pods/web/exec?command=sh&stdin=true&stdout=true";

/** An unmasked frame, as servers send them. */
export function serverFrame(opcode: number, payload: Buffer | string, final = true): Buffer {
  const body = Buffer.from(payload);
  const length = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode, ...length]), body]);
}

export const channelFrame = (number: number, text: string) =>
  serverFrame(2, Buffer.concat([Buffer.from([number]), Buffer.from(text)]));

export const serverClose = (code: number) => serverFrame(8, Buffer.from([code >> 8, code & 255]));

/** Answers an upgrade with a 101 for `protocol`, and `first` in the same packet. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Socket,
  protocol: string,
  first: Buffer = Buffer.alloc(0),
): void {
  // RFC 6455 §1.3.
  const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const key = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${guid}`).digest("base64");
  const head = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${key}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
  ];
  socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), first]));
}
