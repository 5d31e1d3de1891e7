/** Azure Resource Manager, as far as it is known to a caller who connects to an Arc-enabled cluster. */
import type { TestCertificate } from "../certificate";
import { arcServerAppId, isGuid, objectId, type Entra } from "./entra";
import { Service, type ServiceAnswer, type ServiceRequest } from "./service";

export const subscriptionId = "00000000-1111-2222-3333-444444444444";
export const resourceGroup = "plants";
export const clusterName = "plant-7";
/** Another one in the same resource group. */
export const otherClusterName = "plant-8";

export const resourceId = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Kubernetes/connectedClusters/${clusterName}`;
const actionPrefix = "Microsoft.Kubernetes/connectedClusters";

export interface ArmOptions {
  readonly entra: Entra;
  readonly certificate?: TestCertificate;
  readonly relayLifetimeSeconds?: number;
  /** What a sender is given; by default something that no relay takes. */
  readonly createToken?: (hybridConnectionName: string, expirationTime: number) => string;
  readonly relay?: string;
  readonly relayEndpointSuffix?: string;
  readonly hybridConnectionName?: string;
}

/** The stable versions of the specification, and those that clients are known to send. */
const apiVersions = [
  "2021-10-01",
  "2024-01-01",
  "2024-07-01-preview",
  "2024-12-01-preview",
  "2025-08-01-preview",
  "2026-03-01",
  "2026-05-01",
];

const failure = (status: number, code: string, message: string): ServiceAnswer => ({
  status,
  body: { error: { code, message } },
});

export class Arm {
  service!: Service;
  /** Actions that the caller's role has on the cluster. */
  actions = new Set(["read", "listClusterUserCredential/action"]);
  connectivityStatus = "Connected";
  lastConnectivityTime = "2026-01-02T03:04:05Z";
  /** `never`: no agent has ever registered; `gone`: none is connected now. */
  agent: "connected" | "never" | "gone" = "connected";
  /** Answers 429 that many times. */
  throttled = 0;
  relayLifetimeSeconds: number;
  /** Relay credentials issued, by authentication method. */
  readonly issued: ("AAD" | "Token")[] = [];
  readonly correlationIds = new Set<string>();

  private constructor(private readonly options: ArmOptions) {
    this.relayLifetimeSeconds = options.relayLifetimeSeconds ?? 10_800;
  }

  static async start(options: ArmOptions): Promise<Arm> {
    const arm = new Arm(options);
    arm.service = await Service.start("ARM", options.certificate, (request) => arm.#answer(request));
    return arm;
  }

  get url(): string {
    return this.service.url;
  }

  close = (): Promise<void> => this.service.close();

  async #answer(request: ServiceRequest): Promise<ServiceAnswer> {
    const { method, url } = request;
    if (method === "GET" && url.pathname + url.search === "/metadata/endpoints?api-version=2022-09-01") {
      return request.headers.authorization === undefined
        ? { status: 200, body: this.#metadata() }
        : this.service.violation("a token for the metadata");
    }
    const parameters = [...url.searchParams.keys()];
    const version = url.searchParams.get("api-version") ?? "";
    if (parameters.join() !== "api-version" || !apiVersions.includes(version)) {
      return this.service.violation(`query ${url.search}`);
    }
    const correlationId = request.headers["x-ms-correlation-request-id"];
    if (!isGuid(correlationId)) return this.service.violation("no correlation id");
    this.correlationIds.add(String(correlationId));
    if (this.throttled > 0) {
      this.throttled -= 1;
      const answer = failure(429, "TooManyRequests", "The request is being throttled.");
      return { ...answer, headers: { "Retry-After": "1" } };
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const isAuthentic = await this.options.entra.verify(token ?? "", "https://management.azure.com").then(
      ({ oid }) => oid === objectId,
      () => false,
    );
    if (!isAuthentic) {
      return failure(401, "InvalidAuthenticationToken", "The access token is invalid.");
    }
    return this.#answerCaller(request);
  }

  #answerCaller({ method, url, headers, body }: ServiceRequest): ServiceAnswer {
    const [, subscription, group, name, action] =
      /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Kubernetes\/connectedClusters\/([^/]+)(\/listClusterUserCredential)?$/.exec(
        url.pathname,
      ) ?? [];
    if (subscription === undefined) return this.service.violation(`${method} ${url.pathname}`);
    if (subscription !== subscriptionId) {
      return failure(404, "SubscriptionNotFound", `The subscription '${subscription}' could not be found.`);
    }
    if (group !== resourceGroup) {
      return failure(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
    }
    const needed = action === undefined ? "read" : `${action.slice(1)}/action`;
    if (!this.actions.has(needed)) {
      return failure(
        403,
        "AuthorizationFailed",
        `The client '${objectId}' with object id '${objectId}' does not have authorization to perform action '${actionPrefix}/${needed}' over scope '${url.pathname}' or the scope is invalid.`,
      );
    }
    if (name !== clusterName && name !== otherClusterName) {
      return failure(404, "ResourceNotFound", `The Resource '${actionPrefix}/${name}' was not found.`);
    }
    if (action === undefined) return method === "GET" ? this.#cluster() : this.service.violation(method);
    if (method !== "POST" || headers["content-type"] !== "application/json") {
      return this.service.violation(`${method} ${String(headers["content-type"])}`);
    }
    return this.#credential(JSON.parse(body) as Record<string, unknown>);
  }

  #cluster(): ServiceAnswer {
    const { connectivityStatus, lastConnectivityTime } = this;
    return {
      status: 200,
      body: { id: resourceId, properties: { connectivityStatus, lastConnectivityTime } },
    };
  }

  #credential(body: Record<string, unknown>): ServiceAnswer {
    const { authenticationMethod, clientProxy, ...more } = body;
    if (Object.keys(more).length > 0 || clientProxy !== true) {
      return this.service.violation(`body ${JSON.stringify(body)}`);
    }
    if (authenticationMethod !== "AAD" && authenticationMethod !== "Token") {
      return this.service.violation(`authenticationMethod ${String(authenticationMethod)}`);
    }
    if (this.agent === "never") {
      return failure(
        400,
        "BadRequest",
        "Hybrid connection for the target resource does not exist. Agent might not have started successfully.",
      );
    }
    if (this.agent === "gone") {
      return failure(
        400,
        "BadRequest",
        "Cannot connect to the hybrid connection because no agent is connected in the target arc resource.",
      );
    }
    this.issued.push(authenticationMethod);
    const expirationTime = Math.floor(Date.now() / 1_000) + this.relayLifetimeSeconds;
    const name =
      this.options.hybridConnectionName ??
      `microsoft.kubernetes/connectedclusters/${"a".repeat(64)}/${String(BigInt(Date.now()) * 1_000_000n)}`;
    const token =
      this.options.createToken?.(name, expirationTime) ??
      `SharedAccessSignature sr=${encodeURIComponent(name)}&sig=none&se=${String(expirationTime)}&skn=send`;
    return {
      status: 200,
      body: {
        hybridConnectionConfig: {
          expirationTime,
          hybridConnectionName: name,
          relay: this.options.relay ?? "azgnrelay-ph0-l1",
          token,
          relayTid: "66666666-7777-8888-9999-000000000000",
          relayType: "azure",
        },
        kubeconfigs: [{ name: "Kubeconfig", value: templateFor(authenticationMethod) }],
      },
    };
  }

  #metadata() {
    return {
      name: "TestCloud",
      resourceManager: this.url,
      authentication: {
        loginEndpoint: this.options.entra.url,
        audiences: ["https://management.azure.com/"],
        tenant: "common",
        identityProvider: "AAD",
      },
      suffixes: { relayEndpointSuffix: `.${this.options.relayEndpointSuffix ?? "servicebus.test"}` },
      dataplaneEndpoints: { arcConfigEndpoint: "https://config.test" },
    };
  }
}

/** What the template must hold is not known beyond one cluster, user and context; arcProxy completes it. */
const templateFor = (method: "AAD" | "Token"): string => {
  const user = method === "AAD" ? { token: `template-${arcServerAppId}` } : { token: "" };
  return Buffer.from(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: clusterName, cluster: { server: "https://127.0.0.1" } }],
      contexts: [{ name: clusterName, context: { cluster: clusterName, user: "clusterUser" } }],
      users: [{ name: "clusterUser", user }],
      "current-context": clusterName,
    }),
  ).toString("base64");
};
