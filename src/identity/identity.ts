/** Who a caller is to Kubernetes: the value that impersonation headers are made of. */
export interface Identity {
  /** Never empty. */
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  /** Keys are lower-case and domain-prefixed, such as `cluster-connect.dev/session`. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}
