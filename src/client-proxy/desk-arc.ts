/** The flags of `cluster-connect proxy` for a way through Azure Arc. */
import { FolderCache, userCacheDirectory } from "../arc/artifact/artifact-cache";
import { provideArcProxy, type ArcProxyProgram } from "../arc/artifact/provide";
import { ClusterConnectError } from "../runtime/errors";
import type { ArcBackendRequest, StartRequestInput } from "./control";
import { optionalTokenSource, readText } from "./desk-files";

export interface DeskArcOptions {
  readonly subscriptionId?: string;
  readonly resourceGroup?: string;
  readonly cloud?: string;
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  readonly clientCertificateFile?: string;
  readonly clientAssertionFile?: string;
  readonly clientAssertionCommand?: string;
  readonly armTokenFile?: string;
  readonly armTokenCommand?: string;
  /** A service account's. */
  readonly tokenFile?: string;
  readonly tokenCommand?: string;
  readonly arcProxyPath?: string;
  readonly arcProxyDigest?: string;
  readonly arcProxyRegistry?: string;
}

/** Throws ERR_SETTINGS_INVALID or ERR_SETTINGS_UNREADABLE. */
export function arcBackendOf(
  options: DeskArcOptions,
  program: ArcBackendRequest["program"],
): StartRequestInput["backend"] {
  const { subscriptionId, resourceGroup, tenantId, cloud = "AzureCloud" } = options;
  if (subscriptionId === undefined || resourceGroup === undefined || tenantId === undefined) {
    throw invalid("--subscription-id, --resource-group and --tenant-id belong together");
  }
  const serviceAccount = optionalTokenSource("--token", options.tokenFile, options.tokenCommand);
  const signIn = readSignIn(options);
  if (signIn.kind === "token" && serviceAccount === undefined) {
    throw invalid(
      "with a token for ARM alone, a service account's token is needed for the cluster: --token-file or --token-command",
    );
  }
  return {
    kind: "arc",
    subscriptionId,
    resourceGroup,
    cloud,
    tenantId,
    signIn,
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    program,
  };
}

/** arcProxy for this machine, from a person's own cache. Throws ERR_SETTINGS_INVALID or what `provideArcProxy` throws. */
export async function provideAtDesk(
  options: DeskArcOptions,
  instanceDirectory: string,
  tell: (line: string) => void,
): Promise<ArcProxyProgram> {
  const { arcProxyPath: path, arcProxyDigest: digest, arcProxyRegistry: registry } = options;
  if (registry !== undefined && !URL.canParse(registry)) throw invalid("--arc-proxy-registry is no address");
  let toldTenths = 0;
  return provideArcProxy({
    cache: new FolderCache(userCacheDirectory()),
    scratch: instanceDirectory,
    path,
    digest,
    registry: registry === undefined ? undefined : new URL(registry),
    onProgress: ({ receivedBytes, totalBytes }) => {
      const tenths = Math.floor((receivedBytes / totalBytes) * 10);
      if (tenths === toldTenths) return;
      toldTenths = tenths;
      tell(`Fetching arcProxy: ${String(tenths * 10)} %`);
    },
    onStale: (reason) => tell(`The arcProxy that was kept is not used: ${reason}`),
  });
}

function readSignIn(options: DeskArcOptions): ArcBackendRequest["signIn"] {
  const { clientId, clientSecretFile: secretFile, clientCertificateFile: certificateFile } = options;
  const source = optionalTokenSource("--arm-token", options.armTokenFile, options.armTokenCommand);
  const assertion = optionalTokenSource(
    "--client-assertion",
    options.clientAssertionFile,
    options.clientAssertionCommand,
  );
  const given = [secretFile, certificateFile, assertion].filter((each) => each !== undefined);
  if (source !== undefined) {
    if (clientId !== undefined || given.length > 0) throw invalid("give either --arm-token-… or --client-…");
    return { kind: "token", source };
  }
  if (clientId === undefined || given.length !== 1) {
    throw invalid(
      "give --client-id and one of --client-assertion-…, --client-certificate-file, --client-secret-file; or --arm-token-…",
    );
  }
  if (assertion !== undefined) return { kind: "assertion", clientId, assertion };
  if (secretFile !== undefined) return { kind: "secret", clientId, secret: readText(secretFile).trim() };
  return { kind: "certificate", clientId, pem: readText(certificateFile ?? "") };
}

const invalid = (detail: string) => new ClusterConnectError("ERR_SETTINGS_INVALID", detail);
