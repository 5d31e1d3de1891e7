/** What the client proxy is told of the way through Azure Arc; arcProxy is fetched here, so that the step shows it. */
import { FolderCache } from "../arc/artifact/artifact-cache";
import { arcProxyVersion } from "../arc/artifact/program-name";
import { provideArcProxy, type ArcProxyProgram } from "../arc/artifact/provide";
import type { ArcBackendRequest } from "../client-proxy/control";
import type { ArcSettings } from "./arc-settings";
import type { CiPlatform } from "./platform";
import { seconds } from "./report";

/** Throws an ERR_CI_OIDC_…, ERR_CI_SERVICE_CONNECTION, ERR_ARC_PROXY_… or ERR_ARC_REGISTRY_UNREACHABLE. */
export async function arcBackend(
  platform: CiPlatform,
  settings: ArcSettings,
  instanceDirectory: string,
): Promise<ArcBackendRequest> {
  const { subscriptionId, resourceGroup, cloud, token } = settings;
  // Before anything is fetched: a job that may not sign in need not wait for that.
  const login = signIn(platform, settings);
  const { path, digest } = await fetchArcProxy(platform, settings, instanceDirectory);
  return {
    kind: "arc",
    subscriptionId,
    resourceGroup,
    cloud,
    ...login,
    ...(token === undefined ? {} : { serviceAccount: { kind: "static", token } }),
    program: { path, digest },
  };
}

function signIn(
  { identity }: CiPlatform,
  { login, own }: ArcSettings,
): Pick<ArcBackendRequest, "tenantId" | "signIn"> {
  if (own !== undefined && login.kind === "application") {
    return { tenantId: login.tenantId, signIn: { ...own, clientId: login.clientId } };
  }
  const { tenantId, clientId, assertion } = identity.entraClient(login);
  return { tenantId, signIn: { kind: "assertion", clientId, assertion } };
}

async function fetchArcProxy(
  { log, job }: CiPlatform,
  { arcProxy }: ArcSettings,
  instanceDirectory: string,
): Promise<ArcProxyProgram> {
  const startedAt = performance.now();
  const since = () => seconds(performance.now() - startedAt);
  let toldTenths = 0;
  const program = await provideArcProxy({
    ...arcProxy,
    cache: new FolderCache(job.toolDirectory ?? instanceDirectory),
    scratch: instanceDirectory,
    onProgress: ({ receivedBytes, totalBytes }) => {
      const tenths = Math.floor((receivedBytes / totalBytes) * 10);
      if (tenths === toldTenths) return;
      toldTenths = tenths;
      log.info(`${since()}  Fetching arcProxy: ${String(tenths * 10)} % of ${megabytes(totalBytes)}`);
    },
    onStale: (reason) => log.info(`${since()}  The arcProxy that was kept is not used: ${reason}`),
  });
  const version = program.source === "given" ? "" : ` ${arcProxyVersion}`;
  log.info(`${since()}  arcProxy${version} (${program.source}), ${program.digest}`);
  return program;
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
