/**
 * arcProxy's own APIs, both on loopback: identity, over TLS beside the Kubernetes API, and registration, without TLS
 * on the other port.
 */
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";
import { correlationHeader } from "./arm-client";
import { resourceIdOf, type ClusterResource, type RelayCredential } from "./connected-cluster";
import type { ServedCertificate } from "./served-certificate";

/** Azure Arc's server application, for which tokens for clusters are; the same in every cloud. */
export const arcServerApplication = "6256c85f-0aad-4d50-b960-e6e9b21efe35";

export interface ArcProxyApiOptions {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly certificate: ServedCertificate;
  readonly correlationId: string;
  readonly timeoutMs?: number;
}

const keyAnswer = z.object({ publicKey: z.object({ kid: z.string().min(1) }) });
const registerAnswer = z.object({ kubeconfigs: z.array(z.object({ value: z.string().min(1) })).min(1) });

export class ArcProxyApi {
  constructor(private readonly options: ArcProxyApiOptions) {}

  /** The id of the key that its proofs of possession are signed with. Throws ERR_ARC_PROXY_…, as all of these do. */
  async keyId(signal?: AbortSignal): Promise<string> {
    const response = await this.#send("GET", this.#identity("poppublickey"), {}, signal);
    return read(keyAnswer, response).publicKey.kid;
  }

  /** Hands over an access token that is bound to that key. Fails with ERR_ARC_PROXY_REFUSED when the key has changed. */
  async giveToken(
    token: { readonly accessToken: string; readonly tenantId: string; readonly keyId: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const { accessToken, tenantId, keyId } = token;
    const body = { accessToken, serverId: arcServerApplication, tenantID: tenantId, kid: keyId };
    await this.#send("POST", this.#identity("at"), body, signal);
  }

  /** Opens the way through the relay, or keeps it open. Returns a kubeconfig as base64. */
  async register(
    cluster: ClusterResource,
    credential: Pick<RelayCredential, "kubeconfig" | "hybridConnectionConfig">,
    signal?: AbortSignal,
  ): Promise<string> {
    const { relay, hybridConnectionName, token, expirationTime } = credential.hybridConnectionConfig;
    const url = new URL(
      `http://127.0.0.1:${String(this.options.httpPort)}${resourceIdOf(cluster)}/register?api-version=2020-10-01`,
    );
    const body = {
      kubeconfigs: [{ name: "Kubeconfig", value: credential.kubeconfig }],
      hybridConnectionConfig: { relay, hybridConnectionName, token, expirationTime },
    };
    const response = await this.#send("POST", url, body, signal);
    return read(registerAnswer, response).kubeconfigs[0]?.value ?? "";
  }

  #identity = (what: string): URL =>
    new URL(`https://127.0.0.1:${String(this.options.httpsPort)}/identity/${what}`);

  async #send(method: string, url: URL, body: object, signal?: AbortSignal): Promise<HttpResponse> {
    const { certificate, correlationId, timeoutMs = 15_000 } = this.options;
    const response = await sendHttpRequest({
      url,
      method,
      headers: { "Content-Type": "application/json", [correlationHeader]: correlationId },
      body: JSON.stringify(body),
      caPem: certificate.pem,
      serverName: certificate.serverName,
      direct: true,
      timeoutMs,
      signal,
    }).catch((error: unknown) => {
      throw new ClusterConnectError("ERR_ARC_PROXY_ANSWER", messageOf(error), { cause: error });
    });
    if (response.status === 200) return response;
    // Its words are not shown: nobody knows whether they quote what it was sent.
    const detail = `status ${String(response.status)} for ${method} ${url.pathname.split("/").at(-1) ?? ""}`;
    throw new ClusterConnectError("ERR_ARC_PROXY_REFUSED", detail);
  }
}

function read<Schema extends z.ZodType>(schema: Schema, response: HttpResponse): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(response.body));
  } catch (error) {
    throw new ClusterConnectError("ERR_ARC_PROXY_ANSWER", "not what was asked for", { cause: error });
  }
}
