/**
 * The kubeconfig that points at the client proxy: pure functions from an entry to text. Published beside
 * `control.ts`, since the CI front end merges the entries of two uses in one job.
 */
import { parse, stringify } from "yaml";
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";

export interface KubeconfigEntry {
  /** Of context, cluster and user. */
  readonly name: string;
  /** `https://127.0.0.1:PORT`, and what goes before every path. */
  readonly server: string;
  /** What the certificate is checked for; undefined: the server's address. */
  readonly tlsServerName: string | undefined;
  /** The cluster's CAs and the local responder's. */
  readonly ca: CaSource;
  readonly namespace?: string | undefined;
  readonly user: KubeconfigUser;
}

/** A file can be replaced while the kubeconfig, and copies of it, stay as they are. */
export type CaSource =
  { readonly kind: "pem"; readonly pem: string } | { readonly kind: "file"; readonly path: string };

/** The entry of a user as it stands in the file, such as `{ exec: … }`. */
export type KubeconfigUser = Readonly<Record<string, unknown>>;

/** Marks our clusters: kubectl keeps extensions when it rewrites a file. */
const extensionName = "cluster-connect.dev";

const named = z.looseObject({ name: z.string() });
const kubeconfig = z.looseObject({
  clusters: z.array(named).nullish(),
  contexts: z.array(named).nullish(),
  users: z.array(named).nullish(),
  "current-context": z.string().optional(),
});
type Kubeconfig = z.output<typeof kubeconfig>;
const lists = ["clusters", "contexts", "users"] as const;

/** A kubeconfig with this entry alone. */
export const renderKubeconfig = (entry: KubeconfigEntry): string =>
  stringify(documentOf(entry), { lineWidth: 0 });

/**
 * `existing` with the entry added and made current. Throws ERR_KUBECONFIG_CLASH when it has one of that name,
 * ERR_KUBECONFIG_UNREADABLE when it is no kubeconfig.
 */
export function mergeKubeconfig(existing: string, entry: KubeconfigEntry): string {
  const document = read(existing);
  const addition = documentOf(entry);
  for (const list of lists) {
    const entries = document[list] ?? [];
    if (entries.some(({ name }) => name === entry.name)) {
      throw new ClusterConnectError("ERR_KUBECONFIG_CLASH", `${list}: ${entry.name}`);
    }
    document[list] = [...entries, ...addition[list]];
  }
  document["current-context"] = entry.name;
  return stringify(document, { lineWidth: 0 });
}

/** `existing` without the entry of that name; another context becomes current if it was `previousContext`. */
export function removeFromKubeconfig(
  existing: string,
  name: string,
  previousContext: string | undefined,
): string {
  const document = read(existing);
  for (const list of lists) document[list] = (document[list] ?? []).filter((entry) => entry.name !== name);
  if (document["current-context"] === name) document["current-context"] = previousContext ?? "";
  return stringify(document, { lineWidth: 0 });
}

export const currentContextOf = (text: string): string | undefined => read(text)["current-context"];

/** The single entry of a file that `renderKubeconfig` made, to be merged into another. */
export function readEntry(text: string): KubeconfigEntry {
  const entry = singleEntry.safeParse(parse(text));
  if (!entry.success || !isOurs(text)) {
    throw new ClusterConnectError("ERR_KUBECONFIG_UNREADABLE", "not a file of one entry of ours");
  }
  const [{ name, cluster }] = entry.data.clusters;
  const { "certificate-authority": path, "certificate-authority-data": data = "" } = cluster;
  return {
    name,
    server: cluster.server,
    tlsServerName: cluster["tls-server-name"],
    ca:
      path === undefined
        ? { kind: "pem", pem: Buffer.from(data, "base64").toString("utf8") }
        : { kind: "file", path },
    namespace: entry.data.contexts[0].context.namespace,
    user: entry.data.users[0].user,
  };
}

/** Whether every cluster in the file is one that we wrote; an unreadable or empty one is not ours. */
export function isOurs(text: string): boolean {
  try {
    const { clusters } = ourClusters.parse(parse(text));
    return clusters.length > 0 && clusters.every(({ cluster }) => hasMark(cluster.extensions));
  } catch {
    return false;
  }
}

const ourClusters = z.object({
  clusters: z.array(
    z.object({ cluster: z.object({ extensions: z.array(z.object({ name: z.string() })).nullish() }) }),
  ),
});
const hasMark = (extensions: readonly { name: string }[] | null | undefined) =>
  (extensions ?? []).some(({ name }) => name === extensionName);

const singleEntry = z.object({
  clusters: z.tuple([
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.string(),
        "tls-server-name": z.string().optional(),
        "certificate-authority": z.string().optional(),
        "certificate-authority-data": z.string().optional(),
      }),
    }),
  ]),
  contexts: z.tuple([z.object({ context: z.object({ namespace: z.string().optional() }) })]),
  users: z.tuple([z.object({ user: z.record(z.string(), z.unknown()) })]),
});

function read(text: string): Kubeconfig {
  try {
    return kubeconfig.parse(parse(text) ?? { apiVersion: "v1", kind: "Config" });
  } catch (error) {
    throw new ClusterConnectError("ERR_KUBECONFIG_UNREADABLE", messageOf(error), { cause: error });
  }
}

function documentOf(entry: KubeconfigEntry) {
  const { name, server, tlsServerName, ca, namespace, user } = entry;
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          server,
          ...(tlsServerName === undefined ? {} : { "tls-server-name": tlsServerName }),
          ...(ca.kind === "file"
            ? { "certificate-authority": ca.path }
            : { "certificate-authority-data": Buffer.from(ca.pem).toString("base64") }),
          extensions: [{ name: extensionName, extension: {} }],
        },
      },
    ],
    contexts: [
      { name, context: { cluster: name, user: name, ...(namespace === undefined ? {} : { namespace }) } },
    ],
    users: [{ name, user }],
    "current-context": name,
  };
}
