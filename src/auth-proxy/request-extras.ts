/**
 * What the cluster's audit log shows of a request beside who made it: through which tunnel session it came, who
 * vouched for the caller, and which CI job it was. For reading; nothing here decides anything, so a value that
 * cannot travel as it is is changed visibly instead of being a reason to refuse.
 */
import type { Identity } from "../identity/identity";
import { ClusterConnectError } from "../runtime/errors";

/** Domain-prefixed and lower-case: the constrained impersonation of Kubernetes 1.36 takes no other keys. */
const prefix = "cluster-connect.dev/";

/** Claims of GitHub Actions, then of Azure Pipelines, then of GitLab CI; the first one that a token has counts. */
const jobClaims = {
  repository: ["repository", "rpo_uri", "project_path"],
  "run-id": ["run_id", "pipeline_id"],
  workflow: ["workflow", "def_id", "ci_config_ref_uri"],
  jti: ["jti"],
} as const;

/** Every extra key that the proxy adds by itself: what its role at the cluster has to name, one by one. */
export const requestExtraKeys: readonly string[] = ["session", "issuer", ...Object.keys(jobClaims)].map(
  (name) => prefix + name,
);

/** What is told of the caller behind a request that runs as somebody else. */
const originalParts = ["user", "uid", "groups", "extra"] as const;
export const originalExtraKeys: readonly string[] = originalParts.map((part) => `${prefix}original-${part}`);

export interface RequestFacts {
  readonly sessionId: string | undefined;
  readonly issuer: string;
  /** Verified claims. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * The identity with the request's own extras. Throws ERR_IDENTITY_RESERVED when a claim mapping has written to one
 * of these keys: the audit log would tell what a token says as what the proxy has seen.
 */
export function withRequestExtras(identity: Identity, facts: RequestFacts, maxBytes: number): Identity {
  const mapped = Object.keys(identity.extra).find((key) => key.startsWith(prefix));
  if (mapped !== undefined) throw new ClusterConnectError("ERR_IDENTITY_RESERVED", `extra ${mapped}`);
  const found: [string, unknown][] = [
    ["session", facts.sessionId],
    ["issuer", facts.issuer],
    ...Object.entries(jobClaims).map(([name, claims]): [string, unknown] => [
      name,
      claims.map((claim) => facts.claims[claim]).find(isTelling),
    ]),
  ];
  const extra: Record<string, readonly string[]> = { ...identity.extra };
  for (const [name, value] of found) if (isTelling(value)) extra[prefix + name] = [shown(value, maxBytes)];
  return { ...identity, extra };
}

/** The identity that the caller acts as, with his own in extras. `caller` is without the request's extras. */
export function withOriginal(identity: Identity, caller: Identity, maxBytes: number): Identity {
  const { username, uid, groups, extra } = caller;
  const parts: Record<(typeof originalParts)[number], readonly string[]> = {
    user: [username],
    uid: uid === undefined ? [] : [uid],
    groups,
    extra: Object.keys(extra).length === 0 ? [] : [JSON.stringify(extra)],
  };
  const added = Object.entries(parts).flatMap(([part, values]) => {
    const telling = values.filter(isTelling).map((value) => shown(value, maxBytes));
    return telling.length === 0 ? [] : [[`${prefix}original-${part}`, telling] as const];
  });
  return { ...identity, extra: { ...identity.extra, ...Object.fromEntries(added) } };
}

/** An empty value would have the whole request refused by constrained impersonation. */
function isTelling(value: unknown): value is string | number {
  return (typeof value === "string" && value.trim() !== "") || Number.isSafeInteger(value);
}

/** As it is, but for characters that cannot stand in a header and what goes beyond `maxBytes` of UTF-8. */
function shown(value: string | number, maxBytes: number): string {
  const printable = String(value)
    .trim()
    .replace(/\p{Cc}|\p{Cs}/gu, "\ufffd");
  if (Buffer.byteLength(printable) <= maxBytes) return printable;
  const mark = "…";
  let kept = "";
  for (const character of printable) {
    if (Buffer.byteLength(kept + character + mark) > maxBytes) break;
    kept += character;
  }
  return kept + mark;
}
