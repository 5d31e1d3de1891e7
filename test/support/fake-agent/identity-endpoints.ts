import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JobIdentity } from "../ci-job";

/** Azure DevOps fixes it. */
export const exchangeAudience = "api://AzureADTokenExchange";
export const applicationId = "6a1b0c7e-0000-4000-8000-000000000001";
export const tenantId = "6a1b0c7e-0000-4000-8000-000000000002";
/** The service connection with workload identity federation that the job may use. */
export const connectionId = "6a1b0c7e-0000-4000-8000-000000000003";
/** A generic one. */
export const genericConnectionId = "6a1b0c7e-0000-4000-8000-000000000004";

/** Who has been given an assertion, and for whom: a connection's id, or `pipeline`. */
export interface IssuedAssertion {
  readonly subject: string;
  readonly token: string;
}

/**
 * Azure DevOps' OIDC endpoint (POST …?api-version=7.1[&serviceConnectionId=…] with the job's access token, answered by
 * `{"oidcToken"}`), and Microsoft Entra's token endpoint, which takes assertions of the federated connection alone.
 */
export class AzureIdentityEndpoints implements JobIdentity {
  readonly requestToken = `access-${randomUUID()}`;
  readonly audiences: string[] = [];
  failingStatus: number | undefined;
  /** When set, Entra answers it. */
  entraFailingStatus: number | undefined;
  readonly assertions: IssuedAssertion[] = [];
  /** Of Entra's tokens, as it says it. */
  lifetimeSeconds = 20;
  readonly #server: Server;

  private constructor(private readonly mint: (audience: string) => Promise<string>) {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.writeHead(500).end());
    });
  }

  static async start(mint: (audience: string) => Promise<string>): Promise<AzureIdentityEndpoints> {
    const endpoints = new AzureIdentityEndpoints(mint);
    endpoints.#server.listen(0, "127.0.0.1");
    await once(endpoints.#server, "listening");
    return endpoints;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.origin);
    const send = (status: number, body: object = {}) =>
      void response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    if (request.method !== "POST") return send(405);
    if (url.pathname === "/oidctoken") return send(...(await this.#assertion(request, url)));
    if (url.pathname === `/${tenantId}/oauth2/v2.0/token`) return send(...(await this.#exchange(request)));
    send(404);
  }

  async #assertion(request: IncomingMessage, url: URL): Promise<[number, object?]> {
    // A token that it does not know is answered by a sign-in page, unless it is asked not to.
    const isAsked = request.headers["x-tfs-fedauthredirect"] === "Suppress";
    if (request.headers.authorization !== `Bearer ${this.requestToken}`) return [isAsked ? 401 : 203];
    if (this.failingStatus !== undefined) return [this.failingStatus];
    if (url.searchParams.get("api-version") !== "7.1") return [400];
    const subject = url.searchParams.get("serviceConnectionId") ?? "pipeline";
    if (!["pipeline", connectionId, genericConnectionId].includes(subject)) return [404];
    const token = await this.mint(exchangeAudience);
    this.assertions.push({ subject, token });
    if (subject !== connectionId) this.audiences.push(exchangeAudience);
    return [200, { oidcToken: token }];
  }

  async #exchange(request: IncomingMessage): Promise<[number, object?]> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (this.entraFailingStatus !== undefined) return [this.entraFailingStatus, { error: "invalid_request" }];
    const form = new URLSearchParams(body);
    const isTrusted = this.assertions.some(
      ({ subject, token }) => subject === connectionId && token === form.get("client_assertion"),
    );
    if (!isTrusted || form.get("client_id") !== applicationId) {
      return [401, { error: "invalid_client", error_description: "AADSTS700213: No matching record." }];
    }
    const scope = form.get("scope") ?? "";
    if (!scope.endsWith("/.default")) return [400, { error: "invalid_scope" }];
    const audience = scope.slice(0, -"/.default".length);
    this.audiences.push(audience);
    return [
      200,
      { access_token: await this.mint(audience), token_type: "Bearer", expires_in: this.lifetimeSeconds },
    ];
  }
}
