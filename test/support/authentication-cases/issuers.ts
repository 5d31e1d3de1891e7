/** One TLS server that is an issuer for each configuration of the table, under a path of its own, with one key set. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createTestCertificate } from "../certificate";
import type { Keys } from "./keys";

export interface Issuers {
  readonly caPem: string;
  urlOf(configuration: string): string;
  close(): Promise<void>;
}

export async function startIssuers(keys: Keys, host = "127.0.0.1"): Promise<Issuers> {
  const certificate = await createTestCertificate([host]);
  const server = createServer({ cert: certificate.certPem, key: certificate.keyPem }, (request, response) => {
    const [, name = "", ...rest] = (request.url ?? "").split("/");
    const issuer = `https://${request.headers.host ?? ""}/${name}`;
    const path = rest.join("/");
    // A configuration with a discoveryURL has its document here, and none where it would be looked for.
    const isDiscovery = path === (name === "elsewhere" ? "document" : ".well-known/openid-configuration");
    const body = isDiscovery
      ? { issuer, jwks_uri: `${issuer}/keys`, id_token_signing_alg_values_supported: ["RS256"] }
      : path === "keys"
        ? { keys: keys.published }
        : undefined;
    response.writeHead(body === undefined ? 404 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body ?? {}));
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    caPem: certificate.caPem,
    urlOf: (configuration) => `https://${host}:${String(port)}/${configuration}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
