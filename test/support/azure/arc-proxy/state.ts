import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";

export interface Registration {
  readonly relay: string;
  readonly hybridConnectionName: string;
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expirationTime: number;
  /** Of the kubeconfig: a service account's token. */
  readonly userToken: string | undefined;
}

export interface PublicKey {
  readonly kid: string;
  readonly e: string;
  readonly n: string;
  readonly kty: string;
}

/** What an arcProxy knows while it runs. */
export class State {
  /** What its kubeconfig's user has to show. */
  readonly localToken = randomBytes(16).toString("hex");
  readonly path = `/proxies/${randomBytes(8).toString("hex")}`;
  key: PublicKey = createKey();
  registration: Registration | undefined;
  /** The access token, and its claims. */
  identity: { readonly token: string; readonly claims: Readonly<Record<string, unknown>> } | undefined;

  /** Only the key's id matters to anyone, so that another one of the same size will do. */
  rotate(): void {
    this.key = createKey();
  }
}

function createKey(): PublicKey {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const { e = "", kty = "", n = "" } = publicKey.export({ format: "jwk" }) as Record<string, string>;
  // RFC 7638: the members in this order.
  const kid = createHash("sha256").update(JSON.stringify({ e, kty, n })).digest("base64url");
  return { kid, e, n, kty };
}
