import type { Logger } from "../runtime/logger";
import type { AuditRecord } from "./audit-record";
import type { AuthProxyMetrics } from "./metrics";
import type { Principal } from "./principal";

/** Query parameters whose values say what kind of request it is, and can hold nothing of the caller's. */
const plainParameters = new Set([
  "allowWatchBookmarks",
  "continue",
  "container",
  "dryRun",
  "fieldManager",
  "fieldValidation",
  "follow",
  "force",
  "limit",
  "orphanDependents",
  "ports",
  "previous",
  "propagationPolicy",
  "resourceVersion",
  "resourceVersionMatch",
  "sendInitialEvents",
  "sinceSeconds",
  "stderr",
  "stdin",
  "stdout",
  "tailLines",
  "timeout",
  "timeoutSeconds",
  "timestamps",
  "tty",
  "watch",
]);

/** A request target for the log: what was typed by the caller, such as the words of an exec, is left out. */
export function auditTarget(target: string): string {
  const at = target.indexOf("?");
  if (at < 0) return target;
  const parameters = target.slice(at + 1).split("&");
  const shown = parameters.map((parameter) => {
    const [name = ""] = parameter.split("=", 1);
    return plainParameters.has(name) ? parameter : `${name}=…`;
  });
  return `${target.slice(0, at)}?${shown.join("&")}`;
}

/** A token that is passed through has told a name that the proxy has not checked: the apiserver's status has. */
function whoFor(principal: Principal | undefined): Record<string, string> {
  if (principal?.kind === "passed-through") return { user: "", claimedSubject: principal.claimedSubject };
  const { identity, caller } = principal ?? {};
  if (caller !== undefined) return { user: caller, as: identity?.username ?? "" };
  return { user: identity?.username ?? "" };
}

/** Last step of the pipeline: one line and one count a request, refused ones included. */
export function audit(record: AuditRecord, logger: Logger, metrics: AuthProxyMetrics): void {
  const { exchange, principal, upgrade, outcome, durationMs } = record;
  const { error, splice } = outcome;
  metrics.count(record);
  logger.info("request", {
    ...whoFor(principal),
    method: exchange.method,
    path: auditTarget(exchange.target),
    protocol: exchange.protocol,
    status: outcome.status,
    durationMs: Math.round(durationMs),
    ...exchange.origin,
    ...(upgrade === undefined ? {} : { upgrade }),
    ...(splice === undefined ? {} : splice),
    ...(outcome.abandoned === true ? { abandoned: true } : {}),
    ...(error === undefined ? {} : { code: error.code, reason: error.detail }),
  });
}
