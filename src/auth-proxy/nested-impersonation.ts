/**
 * A caller who wants to act as somebody else. The apiserver sees only the proxy, which may become anybody: so what
 * the apiserver would check of a caller who came directly is checked here, part by part, before the proxy becomes
 * whom the caller names.
 */
import { checkIdentity } from "../identity/identity-checks";
import type { Identity } from "../identity/identity";
import type { IdentityPolicy } from "../identity/identity-policy";
import { ClusterConnectError } from "../runtime/errors";
import type { AccessReviewer } from "./access-review";
import type { RequestInfo, ResourceRequest } from "./request-info";

export interface NestedImpersonation {
  readonly review: AccessReviewer;
  /** Whether the cluster knows constrained impersonation: elsewhere its verbs are words that anybody may have been granted. */
  readonly constrained: boolean;
  readonly policy: IdentityPolicy;
  /** Questions to the apiserver for one request. */
  readonly maxReviews: number;
}

/**
 * Resolves when `caller` may act as `wanted` in a request for `asked`. Throws ERR_AUTH_PROXY_IMPERSONATION_DENIED with
 * the first reason against it, or ERR_IDENTITY_… for whom nobody may become here, whatever the cluster grants.
 */
export async function authorizeImpersonation(
  caller: Identity,
  wanted: Identity,
  asked: RequestInfo,
  { review, constrained, policy, maxReviews }: NestedImpersonation,
): Promise<void> {
  checkIdentity(wanted, policy);
  const legacy = partsOf(wanted, "impersonate", "");
  const ways = constrained && isOrdinary(wanted) ? [constrainedQuestions(wanted, asked), legacy] : [legacy];
  const count = ways.flat().length;
  if (count > maxReviews) throw denied(`it takes ${String(count)} reviews, at most ${String(maxReviews)}`);
  const refusals: string[] = [];
  for (const questions of ways) {
    const refusal = await firstRefusal(caller, questions, review);
    if (refusal === undefined) return;
    refusals.push(refusal);
  }
  throw denied(refusals[0] ?? "");
}

/** KEP-5284, mode user-info: one right on what is asked for, and one on each part of the user. */
const constrainedQuestions = (wanted: Identity, asked: RequestInfo): RequestInfo[] => [
  { ...asked, verb: `impersonate-on:user-info:${asked.verb}` },
  ...partsOf(wanted, "impersonate:user-info", "authentication.k8s.io"),
];

/**
 * Nodes and service accounts have modes of their own, which take nothing beside the name. The proxy always adds
 * extras, so they would not hold for its request: for these names the legacy verb alone counts.
 */
function isOrdinary({ username, groups, extra }: Identity): boolean {
  const isValidExtra = Object.keys(extra).every((key) => /^[a-z0-9.-]+\/.+$/.test(key));
  return (
    !/^system:(node|serviceaccount):/.test(username) && !groups.includes("system:masters") && isValidExtra
  );
}

/** Each part of a user, as the object that it takes the right to impersonate. */
function partsOf(wanted: Identity, verb: string, groupOfNames: string): ResourceRequest[] {
  const { username, groups, uid, extra } = wanted;
  const part = (group: string, resource: string, name: string, subresource = ""): ResourceRequest => {
    return { kind: "resource", verb, group, version: "v1", namespace: "", resource, subresource, name };
  };
  const user = part(groupOfNames, "users", username);
  return [
    serviceAccountPart(user) ?? user,
    ...(uid === undefined ? [] : [part("authentication.k8s.io", "uids", uid)]),
    ...groups.map((group) => part(groupOfNames, "groups", group)),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => part("authentication.k8s.io", "userextras", value, key)),
    ),
  ];
}

function serviceAccountPart(user: ResourceRequest): ResourceRequest | undefined {
  const [, namespace, name] = /^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$/.exec(user.name) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  return { ...user, resource: "serviceaccounts", namespace, name };
}

async function firstRefusal(
  caller: Identity,
  questions: readonly RequestInfo[],
  review: AccessReviewer,
): Promise<string | undefined> {
  const decisions = await Promise.all(
    questions.map(async (question) => ({ question, decision: await review(caller, question) })),
  );
  const refused = decisions.find(({ decision }) => !decision.allowed);
  if (refused === undefined) return undefined;
  const { question, decision } = refused;
  const reason = decision.reason === "" ? "" : `: ${decision.reason}`;
  return `${JSON.stringify(caller.username)} cannot ${question.verb} ${describe(question)}${reason}`;
}

function describe(question: RequestInfo): string {
  if (question.kind === "non-resource") return `path ${JSON.stringify(question.path)}`;
  const { resource, subresource, group, name, namespace } = question;
  const kind = [resource, subresource].filter((part) => part !== "").join("/");
  return [
    `resource ${JSON.stringify(kind)} in API group ${JSON.stringify(group)}`,
    ...(name === "" ? [] : [`named ${JSON.stringify(name)}`]),
    ...(namespace === "" ? [] : [`in namespace ${JSON.stringify(namespace)}`]),
  ].join(" ");
}

const denied = (detail: string) => new ClusterConnectError("ERR_AUTH_PROXY_IMPERSONATION_DENIED", detail);
