/**
 * The port behind which every way of obtaining a token stands.
 */
export interface Token {
  readonly value: string;
  /** When it was received, or asked for, by the local clock: its life is counted from here, since clocks differ. */
  readonly receivedAtMs: number;
  /** `exp − iat` of the token; undefined when it is not a JWT or does not say. */
  readonly lifetimeMs: number | undefined;
}

export interface TokenSource {
  /** For logs and messages: where tokens come from, without any secret. */
  readonly description: string;
  /** Obtains a fresh token. Throws a ClusterConnectError with a code of `runtime/errors/credentials.ts`. */
  fetch(signal?: AbortSignal): Promise<Token>;
}
