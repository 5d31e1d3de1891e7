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

export class KubernetesClient {
  readonly #entry: KubeconfigEntry;

  constructor(kubeconfigPath: string) {
    this.#entry = readEntry(readFileSync(kubeconfigPath, "utf8"));
  }

  /** `until` ends a stream, such as a watch, as soon as what has come satisfies it. */
  send(method: string, path: string, body?: unknown, until?: (soFar: string) => boolean): Promise<Answer> {
    const { server, caBundle, tlsServerName } = this.#entry;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, server),
        {
          method,
          ca: caBundle,
          servername: tlsServerName,
          agent: false,
          headers: { ...this.#authorization(), "Content-Type": "application/json" },
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

  /** Runs a command in a pod; resolves with its output and exit code, rejects unless a status has come. */
  exec(pod: string, command: readonly string[]): Promise<{ output: string; exitCode: number }> {
    const { server, caBundle, tlsServerName } = this.#entry;
    const url = new URL(
      `/api/v1/namespaces/default/pods/${pod}/exec?stdout=true`,
      server.replace("https:", "wss:"),
    );
    for (const word of command) url.searchParams.append("command", word);
    // `ws` hands these on to Node's TLS, which knows more of them than its types do.
    const options = { ca: caBundle, servername: tlsServerName, headers: this.#authorization() };
    const webSocket = new WebSocket(url, ["v5.channel.k8s.io"], options);
    return new Promise((resolve, reject) => {
      let output = "";
      let exitCode: number | undefined;
      webSocket.on("message", (data: Buffer) => {
        if (data[0] === 1) output += data.subarray(1).toString("utf8");
        if (data[0] === 3) exitCode = exitCodeOf(data.subarray(1).toString("utf8"));
      });
      webSocket.on("error", reject);
      webSocket.on("close", (code) => {
        if (exitCode === undefined) reject(new Error(`exec was lost (${String(code)})`));
        else resolve({ output, exitCode });
      });
    });
  }

  #authorization(): { Authorization: string } {
    const [program = "", ...args] = this.#entry.credentialCommand;
    const credential = JSON.parse(execFileSync(program, args, { encoding: "utf8" })) as {
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
