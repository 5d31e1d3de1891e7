/**
 * `kubectl exec` over WebSocket (v5.channel.k8s.io, KEP-4006): one byte names the channel (0 stdin, 1 stdout, 2
 * stderr, 3 status, 4 size of the terminal, 255 close of the channel that the next byte names), the rest is data.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { runLine, runScript, type Outcome } from "./shell";

const subprotocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;
/** Of a line that is being typed. */
const maxLineBytes = 65_536;

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 1_048_576,
  handleProtocols: (offered) => subprotocols.find((known) => offered.has(known)) ?? false,
});

export function handleExec(request: IncomingMessage, socket: Socket, head: Buffer, pod: string): void {
  const { searchParams } = new URL(request.url ?? "", "http://demo");
  const [command = "", ...args] = searchParams.getAll("command");
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on("error", () => undefined);
    if (command === "cat") return echoUntilClosed(webSocket);
    if (command === "sh" && args[0] !== "-c") {
      return new Terminal(webSocket, pod, searchParams.get("tty") === "true").begin();
    }
    const script = command === "sh" ? (args[1] ?? "") : [command, ...args].join(" ");
    const outcome = runScript(script, pod);
    show(webSocket, outcome);
    finish(webSocket, outcome.exitCode);
  });
}

function echoUntilClosed(webSocket: WebSocket): void {
  webSocket.on("message", (data: Buffer) => {
    if (data[0] === channels.stdin) send(webSocket, channels.stdout, data.subarray(1));
    else if (data[0] === channels.close) finish(webSocket, 0);
  });
}

/** A shell that is typed to. With a terminal it shows what is typed, and asks. */
class Terminal {
  #line = "";
  #exitCode = 0;

  constructor(
    private readonly webSocket: WebSocket,
    private readonly pod: string,
    private readonly isTty: boolean,
  ) {}

  begin(): void {
    this.#prompt();
    this.webSocket.on("message", (data: Buffer) => {
      if (data[0] === channels.close) finish(this.webSocket, this.#exitCode);
      else if (data[0] === channels.stdin) this.#take(data.subarray(1).toString("utf8"));
    });
  }

  #take(text: string): void {
    if (this.isTty) send(this.webSocket, channels.stdout, text.replaceAll("\r", "\r\n"));
    const lines = (this.#line + text).split(/[\r\n]/);
    this.#line = (lines.pop() ?? "").slice(0, maxLineBytes);
    for (const line of lines) {
      const outcome = runLine(line, this.pod);
      this.#exitCode = outcome.exitCode;
      show(this.webSocket, outcome);
      if (outcome.isOver) return finish(this.webSocket, outcome.exitCode);
      this.#prompt();
    }
  }

  #prompt(): void {
    if (this.isTty) send(this.webSocket, channels.stdout, "$ ");
  }
}

function show(webSocket: WebSocket, { stdout, stderr }: Outcome): void {
  if (stdout !== "") send(webSocket, channels.stdout, stdout);
  if (stderr !== "") send(webSocket, channels.stderr, stderr);
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

function send(webSocket: WebSocket, channel: number, data: string | Buffer): void {
  if (webSocket.readyState !== webSocket.OPEN) return;
  webSocket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]));
}
