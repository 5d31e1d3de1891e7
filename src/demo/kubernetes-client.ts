/** A client of a few lines for machines without kubectl: reads the exported kubeconfig, its exec credential included. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import WebSocket from "ws";
import { readEntry, type KubeconfigEntry } from "../client-proxy/kubeconfig";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  /** Ends a stream, such as a watch, as soon as what has come satisfies it. */
  readonly until?: (soFar: string) => boolean;
}

export interface ExecOptions {
  readonly stdin?: string;
}

export interface ExecResult {
  readonly stdout: string;
  readonly exitCode: number;
}

const channels = { stdin: 0, stdout: 1, status: 3, close: 255 } as const;

export class KubernetesClient {
  readonly #entry: KubeconfigEntry;

  constructor(
    kubeconfigPath: string,
    private readonly signal: AbortSignal,
  ) {
    this.#entry = readEntry(readFileSync(kubeconfigPath, "utf8"));
  }

  /** One request; rejects when the connection is lost before its answer has ended. */
  send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const { server, tlsServerName } = this.#entry;
    const { body, contentType = "application/json", until } = options;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, server),
        {
          method,
          ca: this.#ca(),
          servername: tlsServerName,
          agent: false,
          signal: this.signal,
          headers: { ...this.#authorization(), "Content-Type": contentType },
        },
        (response) => {
          const status = response.statusCode ?? 0;
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
            if (until?.(text) !== true) return;
            resolve({ status, body: text });
            outgoing.destroy();
          });
          response.on("end", () => resolve({ status, body: text }));
          response.on("error", reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Runs a command in a pod; rejects when the connection ends without the command's status. */
  exec(pod: string, command: readonly string[], { stdin }: ExecOptions = {}): Promise<ExecResult> {
    const { server, tlsServerName } = this.#entry;
    const url = new URL(`/api/v1/namespaces/default/pods/${pod}/exec`, server.replace("https:", "wss:"));
    url.searchParams.set("stdout", "true");
    if (stdin !== undefined) url.searchParams.set("stdin", "true");
    for (const word of command) url.searchParams.append("command", word);
    // `ws` hands these on to Node's TLS, which knows more of them than its types do.
    const options = {
      ca: this.#ca(),
      servername: tlsServerName,
      headers: this.#authorization(),
      signal: this.signal,
    };
    const webSocket = new WebSocket(url, ["v5.channel.k8s.io"], options);
    return new Promise((resolve, reject) => {
      let stdout = "";
      let exitCode: number | undefined;
      webSocket.on("open", () => {
        if (stdin === undefined) return;
        webSocket.send(Buffer.concat([Buffer.from([channels.stdin]), Buffer.from(stdin)]));
        webSocket.send(Buffer.from([channels.close, channels.stdin]));
      });
      webSocket.on("message", (data: Buffer) => {
        const text = data.subarray(1).toString("utf8");
        if (data[0] === channels.stdout) stdout += text;
        if (data[0] === channels.status) exitCode = exitCodeOf(text);
      });
      webSocket.on("error", reject);
      webSocket.on("close", (code) => {
        if (exitCode === undefined) reject(new Error(`exec was lost (${String(code)})`));
        else resolve({ stdout, exitCode });
      });
    });
  }

  #ca(): string {
    const { ca } = this.#entry;
    return ca.kind === "pem" ? ca.pem : readFileSync(ca.path, "utf8");
  }

  #authorization(): { Authorization: string } {
    const { exec } = this.#entry.user as { exec: { command: string; args: string[] } };
    const credential = JSON.parse(execFileSync(exec.command, exec.args, { encoding: "utf8" })) as {
      status: { token: string };
    };
    return { Authorization: `Bearer ${credential.status.token}` };
  }
}

function exitCodeOf(status: string): number {
  const { details } = JSON.parse(status) as { details?: { causes?: { reason: string; message: string }[] } };
  const cause = details?.causes?.find(({ reason }) => reason === "ExitCode");
  return cause === undefined ? 0 : Number(cause.message);
}
