/** From a request's token to the one on whose account it goes on: who the caller is, and whom he may act as. */
import type { Identity } from "../identity/identity";
import { ClusterConnectError } from "../runtime/errors";
import type { AccessReviewer } from "./access-review";
import type { Authentication } from "./authentication";
import type { Exchange } from "./exchange";
import { authorizeImpersonation } from "./nested-impersonation";
import { recognizePassThrough } from "./pass-through";
import type { Principal } from "./principal";
import { withOriginal, withRequestExtras, type RequestFacts } from "./request-extras";
import { requestInfoOf } from "./request-info";
import type { AuthProxySettings } from "./settings";
import { wantedUser } from "./wanted-user";

export interface AdmissionContext {
  readonly settings: Pick<AuthProxySettings, "impersonation" | "passThrough" | "limits">;
  readonly authentication: Pick<Authentication, "verify" | "anonymous">;
  readonly review: AccessReviewer;
}

export interface Admitted {
  /** The caller himself. */
  readonly principal: Principal;
  /** When his token expires, in milliseconds since the epoch, or Infinity. */
  readonly expiresAtMs: number;
  /** Undefined for a token that is passed through, of which nothing is known. */
  readonly known: { readonly mapped: Identity; readonly facts: RequestFacts } | undefined;
}

type Request = Pick<Exchange, "method" | "target" | "lines" | "origin">;

/** Throws a ClusterConnectError for whoever is nobody here. */
export async function admitCaller(
  token: string | undefined,
  { origin, target }: Request,
  { authentication, settings }: AdmissionContext,
): Promise<Admitted> {
  const passedThrough = token === undefined ? undefined : recognizePassThrough(token, settings.passThrough);
  if (passedThrough !== undefined) {
    return { principal: passedThrough, expiresAtMs: passedThrough.expiresAtMs, known: undefined };
  }
  const verified =
    token === undefined ? authentication.anonymous(target) : await authentication.verify(token);
  const { identity: mapped, issuer, claims, expiresAtMs } = verified;
  // The settings' schema requires the mapping; an entry without one must not become an identity without a name.
  if (mapped === undefined) throw new ClusterConnectError("ERR_AUTH_PROXY_NO_IDENTITY");
  const facts = { sessionId: origin.sessionId, issuer, claims };
  const identity = withRequestExtras(mapped, facts, settings.impersonation.maxNameBytes);
  return { principal: { kind: "impersonated", identity }, expiresAtMs, known: { mapped, facts } };
}

/** The caller, or whom he wants to be and may: with `--as` and the like, if that is enabled and granted. */
export async function actAsWanted(
  { principal, known }: Admitted,
  request: Request,
  { review, settings }: AdmissionContext,
): Promise<Principal> {
  const wanted = wantedUser(request.lines);
  if (wanted === undefined) return principal;
  const { nested, constrained, ...policy } = settings.impersonation;
  if (!nested) throw new ClusterConnectError("ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED");
  if (principal.kind === "passed-through" || known === undefined) {
    throw new ClusterConnectError(
      "ERR_AUTH_PROXY_IMPERSONATION_NOT_ENABLED",
      "beside a token of the cluster's own",
    );
  }
  // First, since it refuses the keys that only the proxy writes.
  const named = withRequestExtras(wanted, known.facts, policy.maxNameBytes);
  await authorizeImpersonation(principal.identity, wanted, requestInfoOf(request), {
    review,
    constrained,
    policy,
    maxReviews: settings.limits.reviewsARequest,
  });
  return {
    kind: "impersonated",
    identity: withOriginal(named, known.mapped, policy.maxNameBytes),
    caller: principal.identity.username,
  };
}
