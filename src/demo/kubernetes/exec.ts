/**
 * `kubectl exec` over WebSocket (v5.channel.k8s.io, KEP-4006): one byte names the channel (0 stdin, 1 stdout, 2
 * stderr, 3 status, 255 close), the rest is data. The pod's shell knows `echo`, `cat` and `exit`.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

const subprotocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const channels = { stdin: 0, stdout: 1, status: 3, close: 255 } as const;

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 1_048_576,
  handleProtocols: (offered) => subprotocols.find((known) => offered.has(known)) ?? false,
});

export function handleExec(request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { searchParams } = new URL(request.url ?? "", "http://demo");
  const [command = "", ...args] = searchParams.getAll("command");
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on("error", () => undefined);
    if (command === "cat") return echoUntilClosed(webSocket);
    if (command === "echo") send(webSocket, channels.stdout, `${args.join(" ")}\n`);
    finish(webSocket, command === "exit" ? Number(args[0] ?? 0) : command === "echo" ? 0 : 127);
  });
}

function echoUntilClosed(webSocket: WebSocket): void {
  webSocket.on("message", (data: Buffer) => {
    if (data[0] === channels.stdin) send(webSocket, channels.stdout, data.subarray(1));
    else if (data[0] === channels.close) finish(webSocket, 0);
  });
}

function finish(webSocket: WebSocket, code: number): void {
  const status =
    code === 0
      ? { metadata: {}, status: "Success" }
      : {
          metadata: {},
          status: "Failure",
          message: `command terminated with exit code ${String(code)}`,
          reason: "NonZeroExitCode",
          details: { causes: [{ reason: "ExitCode", message: String(code) }] },
        };
  send(webSocket, channels.status, JSON.stringify(status));
  webSocket.close(1000);
}

const send = (webSocket: WebSocket, channel: number, data: string | Buffer) =>
  webSocket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]));
