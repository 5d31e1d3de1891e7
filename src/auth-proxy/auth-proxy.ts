import { ClusterConnectError, messageOf } from "../runtime/errors";
import type { Logger } from "../runtime/logger";
import type { Shutdown } from "../runtime/shutdown";
import { createAccessReviewer } from "./access-review";
import { Apiserver } from "./apiserver";
import type { ApiserverTarget } from "./apiserver-target";
import { Authentication } from "./authentication";
import { writeCaBundle } from "./ca-bundle-file";
import { createDirectoryStore } from "./directory-store";
import { FrontDoor } from "./front-door";
import { createConnectionServer } from "./http-by-alpn";
import { createMetrics, type AuthProxyMetrics } from "./metrics";
import { OwnCredential } from "./own-credential";
import { Pipeline } from "./pipeline";
import { startReadinessProbe } from "./readiness";
import { ownNamespace, resolveApiserver } from "./resolve-apiserver";
import { createSecretStore } from "./secret-store";
import { ServerCertificates } from "./server-certificates";
import { serverNameOf } from "./server-name";
import type { AuthProxySettings } from "./settings";

export interface AuthProxyContext {
  readonly logger: Logger;
  readonly shutdown: Shutdown;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file that `settings` are from; the authentication in it is taken up again when it changes. */
  readonly config?: string;
}

export interface AuthProxy {
  /** Undefined on a unix socket. */
  readonly port: number | undefined;
  readonly serverName: string;
  /** `sha256:…` of each CA certificate: what callers put into `cluster-ca`. */
  readonly caPins: readonly string[];
  readonly caBundle: string;
  readonly metrics: AuthProxyMetrics;
  readonly unreadyReason: string | undefined;
}

/** Puts the parts together and serves. What it starts is stopped by `shutdown`. */
export async function startAuthProxy(
  settings: AuthProxySettings,
  { logger, shutdown, environment, config }: AuthProxyContext,
): Promise<AuthProxy> {
  const { cluster, limits } = settings;
  const metrics = createMetrics();
  const target = resolveApiserver(settings.apiserver, environment);
  refuseTwoCredentials(settings, target);
  const credential = new OwnCredential(target, { refreshMs: limits.ownTokenRefreshMs, logger });
  const apiserver = new Apiserver(target, credential, limits);
  shutdown.add("apiserver connections", () => apiserver.close());

  const certificates = await ServerCertificates.open({
    cluster,
    store: storeFor(settings, apiserver),
    logger,
  });
  shutdown.add("certificates", watchCertificates(certificates, metrics, limits.certificateCheckMs, logger));
  const { caBundle, caPins } = certificates;
  for (const pin of caPins) logger.info("certificates.ca", { pin, serverName: serverNameOf(cluster) });

  const authentication = new Authentication(settings, { config, metrics, logger });
  shutdown.add("authentication", () => authentication.close());
  const readiness = startReadinessProbe(() => apiserver.probe(), limits.readinessProbeMs, logger);
  shutdown.add("readiness probe", () => readiness.stop());

  const admission = { settings, authentication, review: createAccessReviewer(apiserver) };
  const pipeline = new Pipeline({ settings, admission, apiserver, logger, metrics });
  const server = createConnectionServer(pipeline, limits);
  const frontDoor = new FrontDoor({
    listen: settings.listen,
    limits,
    secureContext: () => certificates.secureContext,
    server,
    logger,
    onConnections: (open) => metrics.connections.set(open),
  });
  // Before the socket: an agent that can connect can also read what to tell its callers to trust.
  await writeCaBundle(caBundleFileOf(settings), caBundle);
  const port = await frontDoor.listen();
  shutdown.add("requests", async () => {
    frontDoor.stopListening();
    server.drain();
    await pipeline.drained(limits.drainMs);
    // What runs still is lost, and is told so: an exec gets its Failure status, a watch is aborted.
    apiserver.close();
    await pipeline.drained(limits.lingerMs);
    server.close();
    frontDoor.dropAll();
  });
  return {
    port,
    serverName: serverNameOf(cluster),
    caPins,
    caBundle,
    metrics,
    get unreadyReason() {
      return readiness.unreadyReason;
    },
  };
}

/** A client certificate speaks for the whole connection, and the apiserver looks at it before any token. */
function refuseTwoCredentials({ passThrough }: AuthProxySettings, target: ApiserverTarget): void {
  if (passThrough === undefined || target.clientCertificate === undefined) return;
  throw new ClusterConnectError(
    "ERR_APISERVER_SETTINGS",
    "passThrough with a client certificate: a caller's token would go out beside it, and the request run as the certificate's owner",
  );
}

function storeFor({ tls }: AuthProxySettings, apiserver: Apiserver) {
  if ("directory" in tls) return createDirectoryStore(tls.directory);
  return createSecretStore(apiserver, tls.namespace ?? ownNamespace(), tls.secret);
}

/** Beside the socket, where the agent looks for it, unless it was told another place. */
function caBundleFileOf({ listen, tls }: AuthProxySettings): string | undefined {
  return tls.caBundleFile ?? ("socket" in listen ? `${listen.socket}.ca.pem` : undefined);
}

/** Looks after the leaf in the background. Returns what stops it. */
function watchCertificates(
  certificates: ServerCertificates,
  metrics: AuthProxyMetrics,
  everyMs: number,
  logger: Logger,
): () => void {
  const report = () => metrics.certificatesExpire(certificates.caExpiresAtMs, certificates.leafExpiresAtMs);
  report();
  const timer = setInterval(() => {
    certificates
      .refresh()
      .catch((error: unknown) => logger.warn("certificates.refresh_failed", { reason: messageOf(error) }))
      .finally(report);
  }, everyMs);
  return () => clearInterval(timer);
}
