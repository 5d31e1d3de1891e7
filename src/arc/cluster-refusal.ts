/** What a refusal behind arcProxy means: kube-aad-proxy's or the apiserver's, or arcProxy's own. */
import { ClusterConnectError, isErrorCode } from "../runtime/errors";

export interface RefusedArcRequest {
  readonly status: number;
  readonly message: string;
  readonly causes: readonly string[];
}

/** `claims` are those of the token that the caller is known by. */
export function explainArcRefusal(
  { status, message, causes }: RefusedArcRequest,
  claims: Readonly<Record<string, unknown>>,
): ClusterConnectError {
  const own = causes.find(isErrorCode);
  const detail = `status ${String(status)} ${message}`.trim();
  if (own !== undefined) return new ClusterConnectError(own, detail);
  if (status !== 401 && status !== 403) return new ClusterConnectError("ERR_ARC_CLUSTER_UNREACHABLE", detail);
  const who = `[${identityOf(claims)}]`;
  if (hasTooManyGroups(claims)) return new ClusterConnectError("ERR_ARC_GROUPS_OVERAGE", `${detail} ${who}`);
  const code = status === 401 ? "ERR_ARC_CLUSTER_TOKEN_REFUSED" : "ERR_ARC_CLUSTER_FORBIDDEN";
  return new ClusterConnectError(code, `${detail} ${who}`);
}

/** Clusters bind either: object id, or user principal name. */
function identityOf(claims: Readonly<Record<string, unknown>>): string {
  const show = (name: string) => (typeof claims[name] === "string" ? claims[name] : "none");
  if (claims["oid"] === undefined) return `subject ${show("sub")}`;
  return `oid ${show("oid")}, upn ${show("upn")}, application ${show("appid")}`;
}

/** Entra leaves groups out of a token when there are more than 200, and says where to ask for them. */
function hasTooManyGroups({
  _claim_names: elsewhere,
  hasgroups,
}: Readonly<Record<string, unknown>>): boolean {
  if (hasgroups === true || hasgroups === "true") return true;
  return typeof elsewhere === "object" && elsewhere !== null && "groups" in elsewhere;
}
