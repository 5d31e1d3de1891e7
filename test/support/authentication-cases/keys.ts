import { exportJWK, exportPKCS8, generateKeyPair, type CryptoKey, type JWK } from "jose";

export type KeyName = "rsa" | "other-rsa" | "p256" | "p384" | "p521" | "stranger" | "ed25519";

export interface Keys {
  /** What the issuers publish: all but the stranger's. */
  readonly published: readonly JWK[];
  readonly private: ReadonlyMap<KeyName, CryptoKey>;
  /** The text of a published key, which an attacker may try as a shared secret. */
  readonly publishedText: string;
}

const algorithms: Readonly<Record<KeyName, string>> = {
  rsa: "RS256",
  "other-rsa": "RS256",
  p256: "ES256",
  p384: "ES384",
  p521: "ES512",
  stranger: "RS256",
  ed25519: "EdDSA",
};

export async function createKeys(): Promise<Keys> {
  const made = await Promise.all(
    (Object.keys(algorithms) as KeyName[]).map(async (kid) => {
      const { publicKey, privateKey } = await generateKeyPair(algorithms[kid], { extractable: true });
      return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig" } };
    }),
  );
  // The key set of an issuer holds no key of a kind that the apiserver cannot read: it would be no key set at all.
  const published = made.filter(({ kid }) => kid !== "stranger" && kid !== "ed25519").map(({ jwk }) => jwk);
  return {
    published,
    private: new Map(made.map(({ kid, privateKey }) => [kid, privateKey])),
    publishedText: JSON.stringify(published[0]),
  };
}

/** A private key as WebCrypto takes it for another algorithm of the same kind. */
export const pkcs8Of = (key: CryptoKey): Promise<string> => exportPKCS8(key);
