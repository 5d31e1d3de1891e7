import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request, type RequestOptions } from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import { parse } from "yaml";

interface Kubeconfig {
  clusters: {
    cluster: {
      server: string;
      "tls-server-name"?: string;
      "certificate-authority-data"?: string;
      "certificate-authority"?: string;
    };
  }[];
  users: { user: { token?: string; exec?: { command: string; args: string[] } } }[];
}

/** How kubectl would reach the cluster by an exported kubeconfig, its exec credential run anew. */
export function connectionOf(kubeconfigPath: string): { url: URL; options: RequestOptions } {
  const { clusters, users } = parse(readFileSync(kubeconfigPath, "utf8")) as Kubeconfig;
  const { cluster } = clusters.at(-1)!;
  const { "certificate-authority": path, "certificate-authority-data": data = "" } = cluster;
  return {
    url: new URL(cluster.server),
    options: {
      ca: path === undefined ? Buffer.from(data, "base64") : readFileSync(path),
      ...(cluster["tls-server-name"] === undefined ? {} : { servername: cluster["tls-server-name"] }),
      headers: { Authorization: `Bearer ${tokenOf(users.at(-1)!.user)}` },
      agent: false,
    },
  };
}

function tokenOf({ token, exec }: Kubeconfig["users"][number]["user"]): string {
  if (token !== undefined) return token;
  const printed = execFileSync(exec!.command, exec!.args, { encoding: "utf8" });
  return (JSON.parse(printed) as { status: { token: string } }).status.token;
}

/** What goes before every path is a part of the server's address. */
const target = (url: URL, path: string): URL => new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url);

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** One request; rejects when the connection is lost before its answer has ended. */
export function get(kubeconfigPath: string, path: string): Promise<Answer> {
  const { url, options } = connectionOf(kubeconfigPath);
  return new Promise((resolve, reject) => {
    const outgoing = request(target(url, path), options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    outgoing.on("error", reject).end();
  });
}

/** An open stream, such as a watch: `first` is its first piece, `over` how it ended. */
export interface OpenStream {
  readonly first: string;
  readonly over: Promise<"ended" | "lost">;
  readonly outgoing: ClientRequest;
}

export function openStream(kubeconfigPath: string, path: string): Promise<OpenStream> {
  const { url, options } = connectionOf(kubeconfigPath);
  return new Promise((resolve, reject) => {
    const outgoing = request(target(url, path), options, (response) => {
      const over = new Promise<"ended" | "lost">((settle) => {
        response.on("error", () => settle("lost"));
        response.on("aborted", () => settle("lost"));
        response.on("end", () => settle(response.complete ? "ended" : "lost"));
      });
      response.once("data", (chunk: Buffer) => resolve({ first: chunk.toString(), over, outgoing }));
    });
    outgoing.on("error", reject).end();
  });
}
