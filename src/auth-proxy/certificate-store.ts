import type { KeyAndCertificate } from "./certificate-maker";

/** What is kept between starts. The CA's certificate may be followed by others, old or coming, in one bundle. */
export interface KeptCertificates {
  readonly authority: KeyAndCertificate;
  readonly leaf: KeyAndCertificate;
}

/** Where the CA and its leaf are kept. Every method throws ERR_AUTH_PROXY_CERTIFICATES. */
export interface CertificateStore {
  /** For messages: the place, such as `Secret cluster-connect/tls`. */
  readonly place: string;
  /** Undefined when nothing was ever kept; damaged content is an error, never nothing. */
  load(): Promise<KeptCertificates | undefined>;
  /** Keeps a first CA. False when somebody else has kept one meanwhile, which is then the one that counts. */
  create(certificates: KeptCertificates): Promise<boolean>;
  /** Puts a new leaf in place of the old; the CA stays. */
  replaceLeaf(leaf: KeyAndCertificate): Promise<void>;
}
