/** What a caller asks for: to listen for a cluster's connections, or to connect to it. */
export type Right = "listen" | "send";

/** The decision to let a caller in. */
export interface Admission {
  readonly right: Right;
  /** Key name, or issuer and subject; for the log. */
  readonly who: string;
  /** Who counts as one where links are counted: a token's issuer and subject, or a cluster's key. */
  readonly identity: string;
  readonly expiresAtMs: number;
  /** What lets him in: where the rule or the key stands in the cluster's settings. */
  readonly rule: string;
  /** The claims that the decision rests on. */
  readonly claims: Readonly<Record<string, unknown>>;
}
