import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JobIdentity } from "../ci-job";

/** The job's OIDC endpoint: `GET …&audience=…` with the request token, `{"value": token}` back. */
export class IdentityEndpoint implements JobIdentity {
  readonly requestToken = `request-${randomUUID()}`;
  readonly audiences: string[] = [];
  failingStatus: number | undefined;
  readonly #server: Server;

  private constructor(mint: (audience: string) => Promise<string>) {
    this.#server = createServer((request, response) => {
      const audience = new URL(request.url ?? "", "http://x").searchParams.get("audience") ?? "";
      const isKnown = request.headers.authorization === `Bearer ${this.requestToken}`;
      const status = isKnown ? this.failingStatus : 401;
      if (status !== undefined) return void response.writeHead(status).end();
      this.audiences.push(audience);
      mint(audience).then(
        (value) => response.end(JSON.stringify({ value })),
        () => response.writeHead(500).end(),
      );
    });
  }

  static async start(mint: (audience: string) => Promise<string>): Promise<IdentityEndpoint> {
    const endpoint = new IdentityEndpoint(mint);
    endpoint.#server.listen(0, "127.0.0.1");
    await once(endpoint.#server, "listening");
    return endpoint;
  }

  get environment(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.requestToken,
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
