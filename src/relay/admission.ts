/** What a caller asks for: to listen for a cluster's connections, or to connect to it. */
export type Right = "listen" | "send";

/** What a decision rests on, kept so that it can be made again when the configuration has changed. */
export type Basis =
  | {
      readonly kind: "token";
      readonly issuer: string;
      /** As far as rules of the cluster look at them. */
      readonly claims: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "key"; readonly name: string; readonly key: string };

/** The decision to let a caller in. */
export interface Admission {
  readonly right: Right;
  readonly cluster: string;
  /** Key name, or issuer and subject; for the log. */
  readonly who: string;
  /** Who counts as one where links are counted: a token's issuer and subject, or a cluster's key. */
  readonly identity: string;
  readonly expiresAtMs: number;
  /** What lets him in: where the rule or the key stands in the cluster's settings. */
  readonly rule: string;
  /** The claims that the decision rests on; for the log. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Never logged. */
  readonly basis: Basis;
}
