import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { createTestCertificate } from "./certificate";

export interface MintOptions {
  /** Default: `cluster-connect/plant-7`. */
  readonly audience?: string | string[];
  readonly subject?: string;
  /** Default 300; negative for a token that has expired already; null for one without `exp`. */
  readonly lifetimeSeconds?: number | null;
  readonly notBefore?: number;
  /** null leaves `kid` out. */
  readonly kid?: string | null;
  readonly issuer?: string;
}

export interface TestIssuer {
  /** The `iss` of its tokens, and where its discovery document is. */
  readonly url: string;
  /** Set when it serves TLS: what to trust. */
  readonly caPem: string | undefined;
  /** The public keys it publishes at the moment. */
  jwks(): { keys: JWK[] };
  /** How often its keys have been fetched. */
  readonly keyFetches: number;
  /** Every request, those that were answered 500 among them. */
  readonly requests: number;
  /** While true, every request is answered 500. */
  failing: boolean;
  mint(claims?: Readonly<Record<string, unknown>>, options?: MintOptions): Promise<string>;
  /** New tokens are signed by a new key from now on; the old one is published beside it, or no longer. */
  rotate(keepOld?: boolean, kid?: string): Promise<void>;
  close(): Promise<void>;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

async function createKey(algorithm: string, kid: string = randomUUID()): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, use: "sig" } };
}

/** An OIDC issuer on loopback: discovery, keys, and as many tokens as a test wants. */
export async function startIssuer(options: { tls?: boolean; algorithm?: string } = {}): Promise<TestIssuer> {
  const { tls = false, algorithm = "ES256" } = options;
  const certificate = tls ? await createTestCertificate() : undefined;
  const keys = [await createKey(algorithm)];
  let keyFetches = 0;
  let requests = 0;

  const listener: RequestListener = (request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    requests += 1;
    if (issuer.failing) return answer(500, { error: "failing" });
    if (request.url === "/.well-known/openid-configuration") {
      return answer(200, { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` });
    }
    if (request.url !== "/keys") return answer(404, {});
    keyFetches += 1;
    return answer(200, issuer.jwks());
  };
  const server = certificate
    ? createHttpsServer({ cert: certificate.certPem, key: certificate.keyPem }, listener)
    : createHttpServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const issuer: TestIssuer = {
    url: `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem: certificate?.caPem,
    jwks: () => ({ keys: keys.map((key) => key.publicJwk) }),
    get keyFetches() {
      return keyFetches;
    },
    get requests() {
      return requests;
    },
    failing: false,
    async mint(claims = {}, mint = {}) {
      const key = keys.at(-1)!;
      const { lifetimeSeconds = 300, kid = key.kid } = mint;
      const now = Math.floor(Date.now() / 1_000);
      const payload = {
        iss: mint.issuer ?? issuer.url,
        sub: mint.subject ?? "repo:octo/app:environment:production",
        aud: mint.audience ?? "cluster-connect/plant-7",
        iat: now,
        nbf: mint.notBefore ?? now,
        ...(lifetimeSeconds === null ? {} : { exp: now + lifetimeSeconds }),
        jti: randomUUID(),
        ...claims,
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(kid === null ? {} : { kid }) })
        .sign(key.privateKey);
    },
    async rotate(keepOld = true, kid) {
      keys.push(await createKey(algorithm, kid));
      if (!keepOld) keys.splice(0, keys.length - 1);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
  return issuer;
}
