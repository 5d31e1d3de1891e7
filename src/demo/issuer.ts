/** An OIDC issuer on loopback: discovery, keys, and the endpoint where a GitHub job asks for its token. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createResponderCertificate } from "../client-proxy/responder-certificate";

/** Short, so that a demo of a minute shows renewal. */
const tokenLifetimeSeconds = 60;

export const demoClaims = {
  sub: "repo:octo/app:environment:production",
  repository: "octo/app",
  repository_id: "123456",
  environment: "production",
  ref: "refs/heads/main",
  run_id: "1",
};

export interface Issuer {
  readonly url: string;
  /** What to trust to trust its certificate. */
  readonly caPem: string;
  close(): Promise<void>;
}

/** `requestToken` is what the job shows to be given tokens, as ACTIONS_ID_TOKEN_REQUEST_TOKEN. */
export async function startIssuer(requestToken: string): Promise<Issuer> {
  const kid = randomUUID();
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" }] };
  const mint = (issuer: string, audience: string) =>
    new SignJWT(demoClaims)
      .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${String(tokenLifetimeSeconds)}s`)
      .sign(privateKey);
  const { caPem, certPem, keyPem } = await createResponderCertificate("localhost");
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", url);
    if (pathname === "/.well-known/openid-configuration")
      return send(response, 200, { issuer: url, jwks_uri: `${url}/keys` });
    if (pathname === "/keys") return send(response, 200, keys);
    const isAllowed = request.headers.authorization === `Bearer ${requestToken}`;
    if (pathname !== "/token" || !isAllowed) return send(response, isAllowed ? 404 : 401, {});
    mint(url, searchParams.get("audience") ?? "").then(
      (value) => send(response, 200, { value }),
      () => send(response, 500, {}),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    caPem,
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, "close");
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
