/**
 * The one registry of everything that can fail: a stable code, the hop it fails at, who can mend it, the likely
 * cause and what to do. Code is decided by `code`, never by message text; docs/errors.md is generated from here.
 */
import { agentErrors } from "./errors/agent";
import { arcErrors } from "./errors/arc";
import { authProxyErrors } from "./errors/auth-proxy";
import { ciErrors } from "./errors/ci";
import { clientProxyErrors } from "./errors/client-proxy";
import { configurationErrors } from "./errors/configuration";
import { credentialErrors } from "./errors/credentials";
import type { Hop } from "./errors/entry";
import { entraErrors } from "./errors/entra";
import { identityErrors } from "./errors/identity";
import { relayErrors } from "./errors/relay";
import { tunnelErrors } from "./errors/tunnel";

export const errorRegistry = {
  ...configurationErrors,
  ...credentialErrors,
  ...entraErrors,
  ...identityErrors,
  ...tunnelErrors,
  ...relayErrors,
  ...agentErrors,
  ...authProxyErrors,
  ...clientProxyErrors,
  ...arcErrors,
  ...ciErrors,
} as const;

export type ErrorCode = keyof typeof errorRegistry;

export interface ClusterConnectErrorOptions extends ErrorOptions {
  /** Where it happened, when the registry does not know it better. */
  readonly hop?: Hop | undefined;
}

/** An error whose code is in the registry. `detail` says what happened this time and must hold no secret. */
export class ClusterConnectError extends Error {
  override readonly name = "ClusterConnectError";
  readonly hop: Hop;

  constructor(
    readonly code: ErrorCode,
    readonly detail = "",
    options?: ClusterConnectErrorOptions,
  ) {
    const { summary, hop } = errorRegistry[code];
    super(detail === "" ? summary : `${summary}: ${detail}`, options);
    this.hop = options?.hop ?? hop;
  }

  /**
   * The whole account, as one paragraph for an annotation or a terminal. `say` puts the registry's words into the
   * reader's own, where names differ; what happened this time stays as it is.
   */
  explain(say: (words: string) => string = (words) => words): string {
    const { owner, cause, remedy } = errorRegistry[this.code];
    return [
      `${this.message} (${this.code})`,
      say(`Where: ${this.hop}. Likely cause: ${cause}`),
      say(`What to do (${owner}): ${remedy}`),
    ].join("\n");
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorRegistry, value);
}

/**
 * Any thrown value as a ClusterConnectError: itself, or wrapped as ERR_UNEXPECTED with its cause kept and the program
 * named that it happened in.
 */
export function asClusterConnectError(thrown: unknown, program?: Hop): ClusterConnectError {
  if (thrown instanceof ClusterConnectError) return thrown;
  return new ClusterConnectError("ERR_UNEXPECTED", messageOf(thrown), { cause: thrown, hop: program });
}

/** The message of a thrown value, following `cause` one step where Node hides the reason there. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    return thrown.errors.map(messageOf).join("; ");
  }
  return thrown.message !== "" ? thrown.message : thrown.name;
}
