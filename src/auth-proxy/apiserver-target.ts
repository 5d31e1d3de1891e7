/** Where the apiserver is, how it proves itself, and what the auth proxy shows it. */
export interface ApiserverTarget {
  readonly url: URL;
  readonly caPem: string | undefined;
  readonly serverName: string | undefined;
  /** The proxy's own credential: a file that rotates, or a token that does not. */
  readonly tokenFile?: string | undefined;
  readonly token?: string | undefined;
  readonly clientCertificate?: { readonly certPem: string; readonly keyPem: string } | undefined;
}
