/** What one session keeps of Azure's: the cloud, a correlation id, tokens for ARM and for the cluster. */
import { randomUUID } from "node:crypto";
import type { EntraClient } from "../credentials/entra-credential";
import { createEntraTokenSource, requestEntraToken } from "../credentials/entra-token";
import type { Token } from "../credentials/token-source";
import { ClusterConnectError } from "../runtime/errors";
import type { ArcProxyApi } from "./arc-proxy-api";
import { arcServerApplication } from "./arc-proxy-api";
import type { ArcSettings } from "./arc-settings";
import { ArmClient } from "./arm-client";
import { resolveCloud, type Cloud } from "./cloud";
import {
  fetchConnectivity,
  fetchRelayCredential,
  refuseUnlessReachable,
  type RelayCredential,
} from "./connected-cluster";
import { LastingToken } from "./lasting-token";

export class ArcSession {
  readonly correlationId = randomUUID();
  readonly #arm: ArmClient;
  readonly #armToken: LastingToken;
  #connectivityIsKnown = false;

  constructor(
    private readonly settings: ArcSettings,
    readonly cloud: Cloud,
  ) {
    const { signIn } = settings;
    this.#armToken = new LastingToken(
      signIn.kind === "token"
        ? signIn.source
        : createEntraTokenSource(this.#client(signIn), cloud.resourceManagerScope),
    );
    this.#arm = new ArmClient({
      resourceManager: cloud.resourceManager,
      token: (signal) => this.#armToken.value(signal),
      correlationId: this.correlationId,
    });
  }

  static async open(settings: ArcSettings, signal: AbortSignal): Promise<ArcSession> {
    return new ArcSession(settings, await resolveCloud(settings.cloud, signal));
  }

  /** Throws what `fetchRelayCredential` throws and, until it has been asked once, what Azure knows of the agent. */
  async relayCredential(signal?: AbortSignal): Promise<RelayCredential> {
    const { cluster, serviceAccount } = this.settings;
    const method = serviceAccount === undefined ? "AAD" : "Token";
    const [connectivity, credential] = await Promise.allSettled([
      this.#refuseIfOffline(signal),
      fetchRelayCredential(this.#arm, cluster, method, signal),
    ]);
    if (connectivity.status === "rejected") throw connectivity.reason;
    if (credential.status === "fulfilled") return credential.value;
    const { reason } = credential as { reason: unknown };
    const isRefused = reason instanceof ClusterConnectError && reason.code === "ERR_ARM_TOKEN_REFUSED";
    if (isRefused) this.#armToken.forget();
    throw reason;
  }

  /** A token for the cluster, bound to arcProxy's key, which has been given to it. */
  async identify(api: ArcProxyApi, signal?: AbortSignal): Promise<Token> {
    try {
      return await this.#identifyOnce(api, signal);
    } catch (error) {
      const isRefused = error instanceof ClusterConnectError && error.code === "ERR_ARC_PROXY_REFUSED";
      if (!isRefused) throw error;
      // "public key expired": it has made itself another one meanwhile.
      return this.#identifyOnce(api, signal);
    }
  }

  async #identifyOnce(api: ArcProxyApi, signal?: AbortSignal): Promise<Token> {
    const { signIn, tenantId } = this.settings;
    if (signIn.kind !== "application")
      throw new TypeError("only an application gets a token for the cluster");
    const keyId = await api.keyId(signal);
    const client = this.#client(signIn);
    const token = await requestEntraToken({
      client,
      scope: `${arcServerApplication}/.default`,
      keyId,
      signal,
    });
    await api.giveToken({ accessToken: token.value, tenantId, keyId }, signal);
    return token;
  }

  #client({ clientId, credential }: ArcSettings["signIn"] & { kind: "application" }): EntraClient {
    return { authority: this.cloud.authority, tenantId: this.settings.tenantId, clientId, credential };
  }

  /** Whoever may list the credential need not have the right to read the cluster: then nothing is known. */
  async #refuseIfOffline(signal?: AbortSignal): Promise<void> {
    if (this.#connectivityIsKnown) return;
    const found = await fetchConnectivity(this.#arm, this.settings.cluster, signal).catch(() => undefined);
    if (found !== undefined) refuseUnlessReachable(found);
    this.#connectivityIsKnown = true;
  }
}
