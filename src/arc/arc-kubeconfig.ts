/** The kubeconfig templates of Azure and the kubeconfig that arcProxy makes of them. */
import { parse, stringify } from "yaml";
import { z } from "zod";
import { ClusterConnectError } from "../runtime/errors";

/** What is taken over from arcProxy's kubeconfig; host and port are not. */
export interface ArcKubeconfig {
  /** What stands before every path; its form is arcProxy's own matter. */
  readonly serverPath: string;
  /** PEM; undefined where it wants its certificate not to be verified. */
  readonly caPem: string | undefined;
  readonly tlsServerName: string | undefined;
  readonly user: Readonly<Record<string, unknown>>;
}

const kubeconfig = z.looseObject({
  clusters: z.tuple([
    z.object({
      cluster: z.object({
        server: z.url(),
        "certificate-authority-data": z.string().optional(),
        "tls-server-name": z.string().optional(),
        "insecure-skip-tls-verify": z.boolean().optional(),
      }),
    }),
  ]),
  users: z.tuple([z.object({ user: z.record(z.string(), z.unknown()).nullish() })]),
});
const template = z.looseObject({
  users: z.array(z.looseObject({ user: z.record(z.string(), z.unknown()).nullish() })).min(1),
});

/** Throws ERR_ARC_PROXY_ANSWER. */
export function readArcKubeconfig(base64: string): ArcKubeconfig {
  const { clusters, users } = read(kubeconfig, base64, "ERR_ARC_PROXY_ANSWER");
  const [{ cluster }] = clusters;
  const { pathname } = new URL(cluster.server);
  const data = cluster["certificate-authority-data"];
  return {
    serverPath: pathname.replace(/\/$/, ""),
    caPem:
      data === undefined || data === "" || cluster["insecure-skip-tls-verify"] === true
        ? undefined
        : Buffer.from(data, "base64").toString("utf8"),
    tlsServerName: cluster["tls-server-name"],
    user: users[0].user ?? {},
  };
}

/** The template with a service account's token for its first user. Throws ERR_ARM_ANSWER. */
export function withToken(base64: string, token: string): string {
  const document = read(template, base64, "ERR_ARM_ANSWER");
  const [first, ...others] = document.users;
  const users = [{ ...first, user: { ...first?.user, token } }, ...others];
  return Buffer.from(stringify({ ...document, users })).toString("base64");
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  base64: string,
  code: "ERR_ARC_PROXY_ANSWER" | "ERR_ARM_ANSWER",
): z.output<Schema> {
  try {
    return schema.parse(parse(Buffer.from(base64, "base64").toString("utf8")));
  } catch (error) {
    // What the parser says may quote a token.
    throw new ClusterConnectError(code, "the kubeconfig is not one of one cluster and user", {
      cause: error,
    });
  }
}
