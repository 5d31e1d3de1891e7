/** What Azure Resource Manager means by a refusal. */
import { z } from "zod";
import { ClusterConnectError, type ErrorCode } from "../runtime/errors";
import type { HttpResponse } from "../runtime/http-request";
import { readRetryAfter } from "../runtime/retry-after";

/** The narrowest built-in role that may list the credential. */
const role = "Azure Arc Enabled Kubernetes Cluster User Role";

const byCode: Readonly<Record<string, ErrorCode>> = {
  AuthorizationFailed: "ERR_ARC_ROLE_MISSING",
  LinkedAuthorizationFailed: "ERR_ARC_ROLE_MISSING",
  SubscriptionNotFound: "ERR_ARC_SUBSCRIPTION_NOT_FOUND",
  ResourceGroupNotFound: "ERR_ARC_GROUP_NOT_FOUND",
  ResourceNotFound: "ERR_ARC_CLUSTER_NOT_FOUND",
  ClusterNetworkUnavailable: "ERR_ARC_AGENT_NOT_CONNECTED",
};

/**
 * The resource provider has no code of its own for these two, only the sentences that its troubleshooting page lists.
 * Not recognised, they are told as ERR_ARM_REFUSED with the sentence.
 */
const bySentence: readonly (readonly [RegExp, ErrorCode])[] = [
  [/hybrid connection for the target resource does not exist/i, "ERR_ARC_AGENT_NEVER_STARTED"],
  [/no agent is connected in the target/i, "ERR_ARC_AGENT_NOT_CONNECTED"],
];

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string().default("") }) });

export interface RefusedArmRequest {
  /** The resource's id, and what was asked of it. */
  readonly path: string;
  readonly correlationId: string;
}

export function explainArmRefusal(response: HttpResponse, request: RefusedArmRequest): ClusterConnectError {
  const { code: armCode, message } = read(response.body);
  const code = codeOf(response.status, armCode, message);
  const said = [`status ${String(response.status)}`, armCode, message]
    .filter((text) => text !== "")
    .join(" ");
  const detail =
    code === "ERR_ARC_ROLE_MISSING"
      ? `assign "${role}" at ${request.path.replace(/\/listClusterUserCredential$/, "")}; ${said}`
      : said;
  return new ClusterConnectError(code, `${detail} [correlation id ${request.correlationId}]`, {
    cause: readRetryAfter(response.headers["retry-after"]),
  });
}

function codeOf(status: number, armCode: string, message: string): ErrorCode {
  // Sentences first: some gateways wrap them into a 5xx.
  const sentence = bySentence.find(([pattern]) => pattern.test(message));
  if (sentence !== undefined) return sentence[1];
  if (status === 429) return "ERR_ARM_THROTTLED";
  const known = Object.hasOwn(byCode, armCode) ? byCode[armCode] : undefined;
  if (known !== undefined) return known;
  if (status >= 500 || status === 408) return "ERR_ARM_UNREACHABLE";
  if (status === 401) return "ERR_ARM_TOKEN_REFUSED";
  if (status === 403) return "ERR_ARC_ROLE_MISSING";
  return status === 404 ? "ERR_ARC_CLUSTER_NOT_FOUND" : "ERR_ARM_REFUSED";
}

function read(body: string): { code: string; message: string } {
  try {
    return refusal.parse(JSON.parse(body)).error;
  } catch {
    return { code: "", message: "" };
  }
}
