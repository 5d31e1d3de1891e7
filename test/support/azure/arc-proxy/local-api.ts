import type { IncomingMessage, ServerResponse } from "node:http";
import { parse, stringify } from "yaml";
import type { Config } from "./config-file";
import type { Journal } from "./journal";
import type { State } from "./state";

const serverId = "6256c85f-0aad-4d50-b960-e6e9b21efe35";
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const registerPath =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Kubernetes\/connectedClusters\/[^/]+\/register\?api-version=2020-10-01$/;

export interface LocalApiOptions {
  readonly journal: Journal;
  readonly state: State;
  readonly config: Config;
  readonly caPem: string;
}

/** The identity API and the registration, each on its port. */
export class LocalApi {
  constructor(private readonly options: LocalApiOptions) {}

  async identity(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { state, journal } = this.options;
    const body = await this.#read(request);
    const what = `${request.method} ${request.url}`;
    if (what === "GET /identity/poppublickey") {
      if (Object.keys(body).length > 0) this.#refuse(response, "a body for poppublickey");
      else answer(response, 200, { publicKey: state.key });
      return;
    }
    if (what !== "POST /identity/at") return this.#refuse(response, what);
    if (Object.keys(body).sort().join() !== "accessToken,kid,serverId,tenantID") {
      return this.#refuse(response, `fields ${Object.keys(body).join()}`);
    }
    if (body["serverId"] !== serverId || body["tenantID"] !== this.options.config.identity.tenantID) {
      return this.#refuse(response, "serverId or tenantID");
    }
    if (journal.take("rotateKeys")) state.rotate();
    if (body["kid"] !== state.key.kid) return answer(response, 500, { message: "public key expired" });
    const token = String(body["accessToken"]);
    const claims = claimsOf(token);
    const { cnf, aud, exp } = claims as { cnf?: { kid: string }; aud?: string; exp?: number };
    if (cnf?.kid !== state.key.kid || aud !== serverId || (exp ?? 0) * 1_000 < Date.now()) {
      return this.#refuse(
        response,
        "an access token that is not bound to the key, not for the server, or over",
      );
    }
    state.identity = { token, claims };
    journal.note({ event: "token", at: Date.now(), kid: state.key.kid });
    answer(response, 200, {});
  }

  async register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { state, journal, config } = this.options;
    const body = await this.#read(request);
    if (request.method !== "POST" || !registerPath.test(request.url ?? "")) {
      return this.#refuse(response, `${request.method} ${request.url}`);
    }
    if (journal.take("refuseRegisters")) return answer(response, 500, { message: "cannot register" });
    const { kubeconfigs, hybridConnectionConfig: relay, ...more } = body as unknown as RegisterBody;
    const template = kubeconfigs?.[0];
    if (Object.keys(more).length > 0 || kubeconfigs?.length !== 1 || template?.name !== "Kubeconfig") {
      return this.#refuse(response, "not one Kubeconfig");
    }
    if (
      Object.keys(relay ?? {})
        .sort()
        .join() !== "expirationTime,hybridConnectionName,relay,token"
    ) {
      return this.#refuse(response, `relay ${Object.keys(relay ?? {}).join()}`);
    }
    const suffix = config.cloudConfig?.serviceBusEndpointSuffix ?? "servicebus.windows.net";
    if (`${relay.relay}.${suffix}` !== journal.settings.relayHost) {
      return this.#refuse(response, `relay ${relay.relay}.${suffix}`);
    }
    const isToken = config.identity.clientID === undefined;
    if (!isToken && state.identity === undefined) return this.#refuse(response, "no access token yet");
    const document = parse(Buffer.from(template.value, "base64").toString("utf8")) as Template;
    const userToken = isToken ? document.users[0]?.user.token : undefined;
    if (isToken && !userToken) return this.#refuse(response, "no service account's token");
    state.registration = { ...relay, userToken };
    journal.note({ event: "registered", at: Date.now(), expirationTime: relay.expirationTime });
    answer(response, 200, {
      kubeconfigs: [{ name: "Kubeconfig", value: this.#complete(document, userToken) }],
    });
  }

  /** The template with this proxy's own port, path and CA; what a real one adds beyond that is not known. */
  #complete(document: Template, userToken: string | undefined): string {
    const { state, config, caPem, journal } = this.options;
    const trust =
      journal.settings.kubeconfig === "insecure"
        ? { "insecure-skip-tls-verify": true }
        : { "certificate-authority-data": Buffer.from(caPem).toString("base64") };
    const server = `https://127.0.0.1:${config.server.httpsPort}${state.path}`;
    return Buffer.from(
      stringify({
        ...document,
        clusters: document.clusters.map((each) => ({ ...each, cluster: { server, ...trust } })),
        users: document.users.map((each) => ({ ...each, user: { token: userToken ?? state.localToken } })),
      }),
    ).toString("base64");
  }

  async #read(request: IncomingMessage): Promise<Record<string, unknown>> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const correlationId = String(request.headers["x-ms-correlation-request-id"]);
    if (!guid.test(correlationId)) this.options.journal.violation("no correlation id");
    this.options.journal.note({ event: "request", target: request.url ?? "", correlationId });
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as Record<string, unknown>;
  }

  #refuse(response: ServerResponse, what: string): void {
    this.options.journal.violation(what);
    answer(response, 400, { message: what });
  }
}

interface RegisterBody {
  readonly kubeconfigs?: readonly { readonly name: string; readonly value: string }[];
  readonly hybridConnectionConfig: {
    readonly relay: string;
    readonly hybridConnectionName: string;
    readonly token: string;
    readonly expirationTime: number;
  };
}

interface Template {
  readonly clusters: readonly { readonly cluster: object }[];
  readonly users: readonly { readonly user: { readonly token?: string } }[];
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;

export function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
