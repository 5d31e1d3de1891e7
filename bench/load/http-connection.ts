/** HTTP/1.1 by hand on one TLS connection: little enough work that what is between it and the target shows. */
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { Endpoint } from "../paths/path";

export async function connectTo(endpoint: Endpoint): Promise<TLSSocket> {
  const socket = connect({
    host: "127.0.0.1",
    port: endpoint.port,
    ca: endpoint.caPem,
    servername: endpoint.serverName,
    ALPNProtocols: ["http/1.1"],
  });
  socket.setNoDelay(true);
  await once(socket, "secureConnect");
  return socket;
}

export function requestHead(endpoint: Endpoint, line: string, headers: Record<string, string> = {}): string {
  const all = { Host: endpoint.serverName, ...endpoint.headers, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${[`${line} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`;
}

const headEnd = "\r\n\r\n";

/** Calls `onAnswer` each time a whole answer with a Content-Length has come, `onBytes` for each piece of a body. */
export function readAnswers(socket: TLSSocket, onAnswer: () => void): void {
  let head = "";
  let bodyLeft = 0;
  socket.on("data", (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (bodyLeft === 0) {
        const before = head.length;
        head += rest.toString("latin1");
        const end = head.indexOf(headEnd);
        if (end === -1) return;
        bodyLeft = contentLength(head.slice(0, end));
        rest = rest.subarray(end + headEnd.length - before);
        head = "";
        if (bodyLeft === 0) onAnswer();
      } else {
        const taken = Math.min(bodyLeft, rest.length);
        bodyLeft -= taken;
        rest = rest.subarray(taken);
        if (bodyLeft === 0) onAnswer();
      }
    }
  });
}

function contentLength(head: string): number {
  if (!head.startsWith("HTTP/1.1 200")) throw new Error(`unexpected answer: ${head}`);
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without length: ${head}`);
  return Number(length);
}
