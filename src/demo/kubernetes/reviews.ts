/** Self reviews: everybody may do everything here; what is shown is who everybody is. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { answer, Refusal } from "./answers";

export const reviewKinds = {
  "/apis/authentication.k8s.io/v1/selfsubjectreviews": "SelfSubjectReview",
  "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": "SelfSubjectAccessReview",
  "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": "SelfSubjectRulesReview",
} as const;
export type ReviewPath = keyof typeof reviewKinds;

export const isReviewPath = (path: string): path is ReviewPath => Object.hasOwn(reviewKinds, path);

export function answerReview(request: IncomingMessage, response: ServerResponse, path: ReviewPath): void {
  if (request.method !== "POST") throw new Refusal(405, "a review is created");
  // What is asked for does not matter here, and kubectl asks in protobuf.
  request.resume();
  const kind = reviewKinds[path];
  const [, , group] = path.split("/");
  answer(response, 201, {
    apiVersion: `${String(group)}/v1`,
    kind,
    metadata: {},
    status: statusOf(kind, request),
  });
}

function statusOf(kind: (typeof reviewKinds)[ReviewPath], request: IncomingMessage): object {
  if (kind === "SelfSubjectAccessReview") return { allowed: true };
  if (kind === "SelfSubjectRulesReview") {
    const all = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }];
    return { incomplete: false, resourceRules: all, nonResourceRules: [] };
  }
  const groups = (request.headersDistinct["impersonate-group"] ?? []).map(utf8);
  const [username = ""] = request.headersDistinct["impersonate-user"] ?? [];
  return { userInfo: { username: utf8(username), groups: [...groups, "system:authenticated"] } };
}

/** Header values are bytes; Node reads them as Latin-1. */
const utf8 = (value: string) => Buffer.from(value, "latin1").toString("utf8");
