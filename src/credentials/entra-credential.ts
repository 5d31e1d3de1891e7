/** How an application proves itself to Microsoft Entra: a federated assertion, a secret, or a certificate. */
import { createHash, createPrivateKey, randomUUID, X509Certificate } from "node:crypto";
import { SignJWT } from "jose";
import { ClusterConnectError } from "../runtime/errors";
import type { TokenSource } from "./token-source";

export type EntraCredential =
  /** An OIDC token of the CI system's, fetched anew for every use: its life is five to ten minutes. */
  | { readonly kind: "assertion"; readonly source: TokenSource }
  | { readonly kind: "secret"; readonly secret: string }
  /** PEM of certificate and private key (RSA). */
  | { readonly kind: "certificate"; readonly pem: string };

export interface EntraClient {
  /** Such as `https://login.microsoftonline.com`. */
  readonly authority: URL;
  readonly tenantId: string;
  readonly clientId: string;
  readonly credential: EntraCredential;
}

/** The credential as fields of the token request, and the assertion among them, whose claims explain a refusal. */
export interface EntraProof {
  readonly fields: Readonly<Record<string, string>>;
  readonly assertion?: string;
}

/** RFC 7523 §2.2. */
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ownAssertionSeconds = 300;

/** Throws the assertion source's own error, or ERR_ENTRA_CERTIFICATE. */
export async function proveClient(
  credential: EntraCredential,
  client: { readonly id: string; readonly tokenEndpoint: URL },
  signal?: AbortSignal,
): Promise<EntraProof> {
  if (credential.kind === "secret") return { fields: { client_secret: credential.secret } };
  const assertion =
    credential.kind === "assertion"
      ? (await credential.source.fetch(signal)).value
      : await signAssertion(credential.pem, client);
  return { fields: { client_assertion_type: assertionType, client_assertion: assertion }, assertion };
}

/** Entra knows the certificate by the SHA-256 of its DER (`x5t#S256`). */
async function signAssertion(
  pem: string,
  { id, tokenEndpoint }: { readonly id: string; readonly tokenEndpoint: URL },
): Promise<string> {
  try {
    const thumbprint = createHash("sha256").update(new X509Certificate(pem).raw).digest("base64url");
    const now = Math.floor(Date.now() / 1_000);
    return await new SignJWT({})
      .setProtectedHeader({ alg: "PS256", typ: "JWT", "x5t#S256": thumbprint })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(tokenEndpoint.href)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + ownAssertionSeconds)
      .sign(createPrivateKey(pem));
  } catch (error) {
    // What OpenSSL says may quote the key.
    throw new ClusterConnectError("ERR_ENTRA_CERTIFICATE", "", { cause: error });
  }
}
