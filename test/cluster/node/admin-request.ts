import { request } from "node:https";
import { readFileSync } from "node:fs";

interface Kubeconfig {
  readonly clusters: readonly [{ cluster: { server: string; "certificate-authority-data": string } }];
  readonly users: readonly [{ user: { "client-certificate-data": string; "client-key-data": string } }];
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One GET as the administrator, on a connection of its own: for asking whether the apiserver is there at all. */
export const adminGet = (kubeconfig: string, path: string): Promise<Answer> => adminRequest(kubeconfig, path);

/** The same; a POST of JSON when there is a body. */
export function adminRequest(kubeconfig: string, path: string, body?: object): Promise<Answer> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
  const decoded = (text: string) => Buffer.from(text, "base64");
  return new Promise((resolve, reject) => {
    const asked = request(`${clusters[0].cluster.server}${path}`, {
      method: body === undefined ? "GET" : "POST",
      ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" } }),
      agent: false,
      ca: decoded(clusters[0].cluster["certificate-authority-data"]),
      cert: decoded(users[0].user["client-certificate-data"]),
      key: decoded(users[0].user["client-key-data"]),
      timeout: 5_000,
    });
    asked.once("timeout", () => asked.destroy(new Error(`no answer to ${path}`)));
    asked.once("error", reject);
    asked.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
