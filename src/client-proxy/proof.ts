/** Proves that the cluster answers: a real request through the own listener, as kubectl would send it. */
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import type { ClusterRefusal, ProofCredential } from "./backend";
import { isTrustFailure } from "./trust-failure";

export interface ProofOptions {
  /** As in the kubeconfig: what stands behind host and port goes before every path. */
  readonly server: string;
  readonly tlsServerName: string | undefined;
  /** The cluster's CAs and the responder's: only the responder ever answers with the latter, and only 503. */
  readonly caBundle: string;
  readonly credential: ProofCredential;
  readonly explainRefusal: (refusal: ClusterRefusal) => ClusterConnectError;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

export interface Proof {
  readonly identity: string;
  readonly groups: string[];
  readonly serverVersion: string;
  readonly hasRights: boolean;
}

const selfSubjectReview = z.object({
  status: z.object({
    userInfo: z.object({ username: z.string().min(1), groups: z.array(z.string()).default([]) }),
  }),
});
const versionInfo = z.object({ gitVersion: z.string() });
const rulesReview = z.object({
  status: z.object({
    incomplete: z.boolean().default(false),
    resourceRules: z.array(z.object({ apiGroups: z.array(z.string()).nullish() })).default([]),
  }),
});
const statusBody = z.object({
  message: z.string().default(""),
  details: z.object({ causes: z.array(z.object({ reason: z.string().nullish() })).nullish() }).nullish(),
});

/** Groups in which every authenticated user may ask about themselves. */
const reviewGroups: ReadonlySet<string> = new Set(["authentication.k8s.io", "authorization.k8s.io"]);

/** Throws a ClusterConnectError that names the hop. */
export async function proveConnection(options: ProofOptions): Promise<Proof> {
  const review = await post(options, "authentication.k8s.io/v1/selfsubjectreviews", "SelfSubjectReview", {});
  const { username, groups } = read(selfSubjectReview, review).status.userInfo;
  const [version, rules] = await Promise.all([
    send(options, "GET", "/version"),
    post(options, "authorization.k8s.io/v1/selfsubjectrulesreviews", "SelfSubjectRulesReview", {
      spec: { namespace: options.namespace },
    }),
  ]);
  return {
    identity: username,
    groups,
    serverVersion: version.status === 200 ? read(versionInfo, version).gitVersion : "unknown",
    hasRights: rules.status !== 201 || grantsAnything(read(rulesReview, rules)),
  };
}

function grantsAnything({ status }: z.output<typeof rulesReview>): boolean {
  const isMore = (groups: readonly string[]) => groups.some((group) => !reviewGroups.has(group));
  return status.incomplete || status.resourceRules.some(({ apiGroups }) => isMore(apiGroups ?? []));
}

async function post(options: ProofOptions, path: string, kind: string, body: object): Promise<HttpResponse> {
  const [group = "", version = ""] = path.split("/");
  const response = await send(
    options,
    "POST",
    `/apis/${path}`,
    JSON.stringify({ apiVersion: `${group}/${version}`, kind, ...body }),
  );
  if (response.status === 201 || kind !== "SelfSubjectReview") return response;
  throw options.explainRefusal(readRefusal(response));
}

async function send(
  options: ProofOptions,
  method: string,
  path: string,
  body?: string,
): Promise<HttpResponse> {
  const { authorization } = options.credential;
  try {
    return await sendHttpRequest({
      url: new URL(`${options.server}${path}`),
      method,
      headers: {
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
      caPem: options.caBundle,
      serverName: options.tlsServerName,
      direct: true,
      timeoutMs: 15_000,
      signal: options.signal,
    });
  } catch (error) {
    const code = isTrustFailure(error) ? "ERR_CLUSTER_UNTRUSTED" : "ERR_AUTH_PROXY_UNREACHABLE";
    throw new ClusterConnectError(code, messageOf(error), { cause: error });
  }
}

function readRefusal(response: HttpResponse): ClusterRefusal {
  const parsed = statusBody.safeParse(parseJson(response.body));
  const { message, details } = parsed.success ? parsed.data : { message: "", details: undefined };
  const causes = (details?.causes ?? []).flatMap(({ reason }) => reason ?? []);
  return { status: response.status, message, causes };
}

function read<Schema extends z.ZodType>(schema: Schema, response: HttpResponse): z.output<Schema> {
  const result = schema.safeParse(parseJson(response.body));
  if (result.success) return result.data;
  throw new ClusterConnectError(
    "ERR_CLUSTER_ANSWER",
    `status ${String(response.status)}, not what was asked for`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
