/** Asks the apiserver what somebody may do: SubjectAccessReview, authorization.k8s.io/v1. */
import type { Identity } from "../identity/identity";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Apiserver } from "./apiserver";
import type { RequestInfo } from "./request-info";

const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

export interface AccessDecision {
  readonly allowed: boolean;
  /** The authorizer's own words; often none. */
  readonly reason: string;
}

export type AccessReviewer = (subject: Identity, asked: RequestInfo) => Promise<AccessDecision>;

/**
 * Throws ERR_APISERVER_UNREACHABLE, or ERR_AUTH_PROXY_REVIEW_FAILED when the answer is none. The question goes out
 * under the proxy's own credential and runs nothing; whom it is about stands in its body.
 */
export function createAccessReviewer(apiserver: Apiserver): AccessReviewer {
  return async (subject, asked) => {
    const document = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { ...subjectOf(subject), ...attributesOf(asked) },
    };
    const { status, body } = await send(apiserver, document);
    if (status !== 201) {
      throw new ClusterConnectError("ERR_AUTH_PROXY_REVIEW_FAILED", `it answered ${String(status)}`);
    }
    return decisionOf(body);
  };
}

async function send(apiserver: Apiserver, document: object) {
  const { credential } = apiserver;
  try {
    const sentWith = credential.authorization();
    const answer = await apiserver.requestAsSelf("POST", path, document);
    const isOld = answer.status === 401 && credential.reread(sentWith);
    return isOld ? await apiserver.requestAsSelf("POST", path, document) : answer;
  } catch (error) {
    throw new ClusterConnectError("ERR_APISERVER_UNREACHABLE", messageOf(error), { cause: error });
  }
}

/** The groups are complete: the apiserver adds none to a review, as it does to whoever makes a request. */
function subjectOf({ username, groups, uid, extra }: Identity) {
  if (username.trim() === "") throw new ClusterConnectError("ERR_AUTH_PROXY_NO_IDENTITY");
  const isAnonymous = username === "system:anonymous" || groups.includes("system:unauthenticated");
  const everybody = isAnonymous ? "system:unauthenticated" : "system:authenticated";
  return {
    user: username,
    groups: [...new Set([...groups, everybody])],
    ...(uid === undefined ? {} : { uid }),
    extra,
  };
}

function attributesOf(asked: RequestInfo) {
  if (asked.kind === "non-resource") {
    return { nonResourceAttributes: { path: asked.path, verb: asked.verb } };
  }
  const { kind: _kind, fieldSelector, labelSelector, ...resourceAttributes } = asked;
  return {
    resourceAttributes: {
      ...resourceAttributes,
      ...(fieldSelector === undefined ? {} : { fieldSelector: { rawSelector: fieldSelector } }),
      ...(labelSelector === undefined ? {} : { labelSelector: { rawSelector: labelSelector } }),
    },
  };
}

/** Anything but an explicit yes is a no. */
function decisionOf(body: string): AccessDecision {
  try {
    const { status } = JSON.parse(body) as {
      status?: { allowed?: unknown; denied?: unknown; reason?: unknown };
    };
    const reason = typeof status?.reason === "string" ? status.reason : "";
    return { allowed: status?.allowed === true && status.denied !== true, reason };
  } catch (error) {
    throw new ClusterConnectError("ERR_AUTH_PROXY_REVIEW_FAILED", "its answer is no JSON", { cause: error });
  }
}
