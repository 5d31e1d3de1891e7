/**
 * A kubeconfig as the auth proxy's way to the apiserver: for tests, the demo, and a proxy outside its cluster.
 * In a cluster the service account's token is the better credential, because the apiserver looks at a client
 * certificate before anything else that a request carries.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { ApiserverTarget } from "./apiserver-target";

const text = z.string().min(1);

const kubeconfig = z.object({
  "current-context": z.string().optional(),
  contexts: z.array(z.object({ name: text, context: z.object({ cluster: text, user: text }) })),
  clusters: z.array(
    z.object({
      name: text,
      cluster: z.object({
        server: z.url({ protocol: /^https$/ }),
        "tls-server-name": text.optional(),
        "certificate-authority": text.optional(),
        "certificate-authority-data": text.optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: text,
      user: z.object({
        token: text.optional(),
        tokenFile: text.optional(),
        "client-certificate": text.optional(),
        "client-certificate-data": text.optional(),
        "client-key": text.optional(),
        "client-key-data": text.optional(),
      }),
    }),
  ),
});

const unusable = (path: string, reason: string, cause?: unknown) =>
  new ClusterConnectError("ERR_APISERVER_SETTINGS", `${path}: ${reason}`, { cause });

/** Reads the named context, or the current one. Throws ERR_APISERVER_SETTINGS. */
export function readKubeconfig(path: string, contextName?: string): ApiserverTarget {
  try {
    const document = kubeconfig.parse(parse(readFileSync(path, "utf8")));
    const wanted = contextName ?? document["current-context"];
    const context = named(document.contexts, wanted, "context").context;
    const { cluster } = named(document.clusters, context.cluster, "cluster");
    const { user } = named(document.users, context.user, "user");
    const material = (entry: Readonly<Record<string, string | undefined>>, key: string) => {
      const inline = entry[`${key}-data`];
      if (inline !== undefined) return Buffer.from(inline, "base64").toString("utf8");
      const file = entry[key];
      // Relative paths are relative to the kubeconfig, as in client-go.
      return file === undefined ? undefined : readFileSync(resolve(dirname(path), file), "utf8");
    };
    const certPem = material(user, "client-certificate");
    const keyPem = material(user, "client-key");
    if (user.token === undefined && user.tokenFile === undefined && (certPem ?? keyPem) === undefined) {
      throw new Error(`user ${context.user} has neither a token nor a client certificate`);
    }
    return {
      url: new URL(cluster.server),
      caPem: material(cluster, "certificate-authority"),
      serverName: cluster["tls-server-name"],
      token: user.token,
      tokenFile: user.tokenFile === undefined ? undefined : resolve(dirname(path), user.tokenFile),
      clientCertificate: certPem === undefined || keyPem === undefined ? undefined : { certPem, keyPem },
    };
  } catch (error) {
    throw unusable(path, error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error), error);
  }
}

function named<Entry extends { name: string }>(
  list: readonly Entry[],
  name: string | undefined,
  what: string,
) {
  const found = list.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no ${what} named ${JSON.stringify(name)}`);
  return found;
}
