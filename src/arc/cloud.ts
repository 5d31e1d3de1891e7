/** The Azure clouds: where ARM, Entra and the registry of arcProxy are, and what arcProxy calls them. */
import { z } from "zod";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { sendHttpRequest, type HttpResponse } from "../runtime/http-request";

export interface Cloud {
  /** The value of `cloud` in arcProxy's configuration. */
  readonly arcProxyName: string;
  readonly resourceManager: URL;
  readonly resourceManagerScope: string;
  /** Entra's authority. */
  readonly authority: URL;
  /** Audience of the assertion that Entra takes for a federated credential. */
  readonly assertionAudience: string;
  /** Of arcProxy's configuration; only clouds with data planes of their own have it. */
  readonly endpoints?: {
    readonly resourceManagerEndpoint: string;
    readonly serviceBusEndpointSuffix: string;
    readonly activeDirectoryEndpoint: string;
  };
}

const cloud = (arcProxyName: string, arm: string, authority: string, assertionAudience: string): Cloud => ({
  arcProxyName,
  resourceManager: new URL(arm),
  resourceManagerScope: `${arm}/.default`,
  authority: new URL(authority),
  assertionAudience,
});

/** By the names that Azure's tools give them. */
export const clouds = {
  AzureCloud: cloud(
    "AZUREPUBLICCLOUD",
    "https://management.azure.com",
    "https://login.microsoftonline.com",
    "api://AzureADTokenExchange",
  ),
  AzureUSGovernment: cloud(
    "AzureUSGovernmentCloud",
    "https://management.usgovcloudapi.net",
    "https://login.microsoftonline.us",
    "api://AzureADTokenExchangeUSGov",
  ),
  AzureChinaCloud: cloud(
    "AzureChinaCloud",
    "https://management.chinacloudapi.cn",
    "https://login.partner.microsoftonline.cn",
    "api://AzureADTokenExchangeChina",
  ),
} as const satisfies Record<string, Cloud>;

export type CloudName = keyof typeof clouds;

const metadataVersion = "2022-09-01";

const metadata = z.object({
  name: z.string().min(1),
  authentication: z.object({ loginEndpoint: z.url(), audiences: z.array(z.string().min(1)).default([]) }),
  suffixes: z.object({ relayEndpointSuffix: z.string().optional() }).default({}),
  /** What is in it does not matter: that it is there tells a cloud with data planes of its own. */
  dataplaneEndpoints: z.unknown().optional(),
});

/**
 * A cloud by its name, or by the address of its ARM endpoint (Azure Local, air-gapped), which is then asked for its
 * metadata. Throws ERR_ARM_UNREACHABLE or ERR_ARM_ANSWER.
 */
export async function resolveCloud(nameOrUrl: string, signal?: AbortSignal): Promise<Cloud> {
  if (Object.hasOwn(clouds, nameOrUrl)) return clouds[nameOrUrl as CloudName];
  const resourceManager = new URL(nameOrUrl);
  const found = await fetchMetadata(resourceManager, signal);
  const { loginEndpoint, audiences } = found.authentication;
  const known = Object.hasOwn(clouds, found.name) ? clouds[found.name as CloudName] : undefined;
  const audience = (audiences[0] ?? resourceManager.origin).replace(/\/$/, "");
  const base: Cloud = {
    arcProxyName: known?.arcProxyName ?? found.name,
    resourceManager,
    resourceManagerScope: `${audience}/.default`,
    authority: new URL(loginEndpoint),
    assertionAudience: (known ?? clouds.AzureCloud).assertionAudience,
  };
  if (found.dataplaneEndpoints === undefined) return base;
  return {
    ...base,
    endpoints: {
      resourceManagerEndpoint: resourceManager.origin,
      serviceBusEndpointSuffix: (found.suffixes.relayEndpointSuffix ?? "").replace(/^\./, ""),
      activeDirectoryEndpoint: loginEndpoint,
    },
  };
}

async function fetchMetadata(arm: URL, signal?: AbortSignal): Promise<z.output<typeof metadata>> {
  const url = new URL(`/metadata/endpoints?api-version=${metadataVersion}`, arm);
  let response: HttpResponse;
  try {
    response = await sendHttpRequest({ url, headers: { Accept: "application/json" }, signal });
  } catch (error) {
    if (error instanceof ClusterConnectError && error.code !== "ERR_HTTP_FAILED") throw error;
    throw new ClusterConnectError("ERR_ARM_UNREACHABLE", messageOf(error), { cause: error });
  }
  if (response.status >= 500 || response.status === 429) {
    throw new ClusterConnectError("ERR_ARM_UNREACHABLE", `status ${String(response.status)} of ${url.href}`);
  }
  try {
    return metadata.parse(JSON.parse(response.body));
  } catch (error) {
    const detail = `${url.href} is not the metadata of a cloud: status ${String(response.status)}`;
    throw new ClusterConnectError("ERR_ARM_ANSWER", detail, { cause: error });
  }
}
