import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import { makeAuthority, makeLeaf, type KeyAndCertificate } from "./certificate-maker";
import type { CertificateStore, KeptCertificates } from "./certificate-store";
import { serverNameOf } from "./server-name";

export interface ServerCertificatesOptions {
  readonly cluster: string;
  readonly store: CertificateStore;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** A leaf is replaced when this share of its life has passed. */
const renewAfter = 2 / 3;
/** The operator is warned when the CA has less left than this. */
const caWarningMs = 90 * 86_400_000;

/**
 * The CA that callers have pinned and the leaf that it has signed. The leaf is replaced in time and by itself; the
 * CA never is, since a new one would look to every caller like a stranger.
 */
export class ServerCertificates {
  #context: SecureContext;
  #leaf: KeyAndCertificate;

  private constructor(
    private readonly authority: KeyAndCertificate,
    leaf: KeyAndCertificate,
    private readonly options: ServerCertificatesOptions,
  ) {
    this.#leaf = leaf;
    this.#context = secureContextOf(leaf);
  }

  /** Loads what is kept, or makes and keeps a first CA. Throws ERR_AUTH_PROXY_CERTIFICATES. */
  static async open(options: ServerCertificatesOptions): Promise<ServerCertificates> {
    const kept = await loadOrCreate(options);
    checkAuthority(kept.authority, options);
    const certificates = new ServerCertificates(kept.authority, await usableLeaf(kept, options), options);
    await certificates.refresh();
    return certificates;
  }

  /** For connections that begin now. */
  get secureContext(): SecureContext {
    return this.#context;
  }

  /** PEM of every CA certificate that callers should trust; the first has signed the leaf. */
  get caBundle(): string {
    return this.authority.certPem;
  }

  /** `sha256:…` over the DER of each of them: what `cluster-ca` pins. */
  get caPins(): string[] {
    return certificatesIn(this.authority.certPem).map(
      ({ raw }) => `sha256:${createHash("sha256").update(raw).digest("hex")}`,
    );
  }

  get caExpiresAtMs(): number {
    return Date.parse(certificateIn(this.authority.certPem).validTo);
  }

  get leafExpiresAtMs(): number {
    return Date.parse(certificateIn(this.#leaf.certPem).validTo);
  }

  /** Takes a newer leaf from the store, or makes one, when the one in use is due. Throws when it cannot keep it. */
  async refresh(): Promise<void> {
    const { logger, store } = this.options;
    if (this.caExpiresAtMs - now(this.options) < caWarningMs) {
      logger.warn("certificates.ca_expires", { at: new Date(this.caExpiresAtMs).toISOString() });
    }
    if (!isDue(this.#leaf, this.authority, this.options)) return;
    const kept = await store.load();
    if (kept?.authority.certPem.trim() !== this.authority.certPem.trim()) {
      logger.warn("certificates.ca_changed", { place: store.place, effect: "from the next start on" });
    }
    if (kept !== undefined && !isDue(kept.leaf, this.authority, this.options)) return this.#use(kept.leaf);
    const leaf = await makeLeaf(signerOf(this.authority), this.options.cluster, now(this.options));
    this.#use(leaf);
    logger.info("certificates.leaf_made", { expiresAt: new Date(this.leafExpiresAtMs).toISOString() });
    await store.replaceLeaf(leaf);
  }

  #use(leaf: KeyAndCertificate): void {
    this.#context = secureContextOf(leaf);
    this.#leaf = leaf;
  }
}

const now = ({ now: clock = Date.now }: ServerCertificatesOptions) => clock();

async function loadOrCreate(options: ServerCertificatesOptions): Promise<KeptCertificates> {
  const { store, cluster, logger } = options;
  const kept = await store.load();
  if (kept !== undefined) return kept;
  const authority = await makeAuthority(cluster, now(options));
  const made = { authority, leaf: await makeLeaf(authority, cluster, now(options)) };
  if (await store.create(made)) {
    logger.info("certificates.ca_made", { place: store.place });
    return made;
  }
  const others = await store.load();
  if (others === undefined) throw unusable(options, "it is written and emptied at the same time");
  return others;
}

function checkAuthority(authority: KeyAndCertificate, options: ServerCertificatesOptions): void {
  try {
    const certificate = certificateIn(authority.certPem);
    const key = createPrivateKey(authority.keyPem);
    if (certificatesIn(authority.certPem).some(({ ca }) => !ca))
      throw new Error("a certificate is not a CA's");
    if (!certificate.checkPrivateKey(key)) throw new Error("the CA's key does not fit its certificate");
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("the CA's key is not P-256");
    if (Date.parse(certificate.validTo) <= now(options)) throw new Error("the CA has expired");
  } catch (error) {
    throw unusable(options, messageOf(error), error);
  }
}

/** The kept leaf, or a stand-in for one that cannot be used, which `refresh` then replaces in the store. */
async function usableLeaf(
  { authority, leaf }: KeptCertificates,
  options: ServerCertificatesOptions,
): Promise<KeyAndCertificate> {
  if (!isDue(leaf, authority, options)) return leaf;
  const fresh = await makeLeaf(signerOf(authority), options.cluster, now(options));
  await options.store.replaceLeaf(fresh);
  return fresh;
}

/** True for a leaf that is old, damaged, for another cluster or signed by another CA. */
function isDue(
  leaf: KeyAndCertificate,
  authority: KeyAndCertificate,
  options: ServerCertificatesOptions,
): boolean {
  try {
    const certificate = certificateIn(leaf.certPem);
    const from = Date.parse(certificate.validFrom);
    const until = Date.parse(certificate.validTo);
    return (
      now(options) >= from + (until - from) * renewAfter ||
      !certificate.checkPrivateKey(createPrivateKey(leaf.keyPem)) ||
      !certificate.verify(certificateIn(authority.certPem).publicKey) ||
      certificate.checkHost(serverNameOf(options.cluster)) === undefined
    );
  } catch {
    return true;
  }
}

const signerOf = (authority: KeyAndCertificate): KeyAndCertificate => ({
  keyPem: authority.keyPem,
  certPem: certificateIn(authority.certPem).toString(),
});

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function certificateIn(pem: string): X509Certificate {
  const [first] = certificatesIn(pem);
  if (first === undefined) throw new Error("it holds no certificate");
  return first;
}

function secureContextOf(leaf: KeyAndCertificate): SecureContext {
  return createSecureContext({
    cert: leaf.certPem,
    key: leaf.keyPem,
    minVersion: "TLSv1.2",
    sessionIdContext: "cluster-connect",
  });
}

function unusable(
  { store }: ServerCertificatesOptions,
  reason: string,
  cause?: unknown,
): ClusterConnectError {
  return new ClusterConnectError("ERR_AUTH_PROXY_CERTIFICATES", `${store.place}: ${reason}`, { cause });
}
