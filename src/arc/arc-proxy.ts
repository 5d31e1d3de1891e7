/** One running arcProxy: started on free ports, ready when its identity API answers. */
import { delay } from "../runtime/delay";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { ArcProxyApi } from "./arc-proxy-api";
import { renderArcProxyConfig, type ArcProxyConfig } from "./arc-proxy-config";
import { ArcProxyProcess, type ArcProxyProcessOptions } from "./arc-proxy-process";
import { freePorts } from "./free-ports";
import { readServedCertificate, type ServedCertificate } from "./served-certificate";

export interface ArcProxyOptions extends Omit<ArcProxyProcessOptions, "config"> {
  readonly identity: Pick<ArcProxyConfig, "tenantId" | "clientId" | "cloud">;
  readonly correlationId: string;
  /** How long it may take to listen. */
  readonly startTimeoutMs?: number;
}

const defaultStartTimeoutMs = 30_000;
const pollMs = 20;

export class ArcProxy {
  private constructor(
    readonly process: ArcProxyProcess,
    readonly port: number,
    readonly certificate: ServedCertificate,
    readonly api: ArcProxyApi,
  ) {}

  /** Throws ERR_ARC_PROXY_START or what `ArcProxyProcess.start` throws; nothing is left running then. */
  static async start(options: ArcProxyOptions, signal: AbortSignal): Promise<ArcProxy> {
    const [httpPort = 0, httpsPort = 0] = await freePorts(2);
    const config = renderArcProxyConfig({ ...options.identity, httpPort, httpsPort });
    const process = await ArcProxyProcess.start({ ...options, config });
    try {
      const certificate = await becomesReady(process, [httpsPort, httpPort], options, signal);
      const { correlationId } = options;
      const api = new ArcProxyApi({ httpPort, httpsPort, certificate, correlationId });
      return new ArcProxy(process, httpsPort, certificate, api);
    } catch (error) {
      await process.stop();
      throw error;
    }
  }

  stop = (): Promise<void> => this.process.stop();
}

/** Polls until TLS is spoken on its port; its end, or the end of the time, ends that. */
async function becomesReady(
  process: ArcProxyProcess,
  ports: readonly [https: number, http: number],
  { startTimeoutMs = defaultStartTimeoutMs }: ArcProxyOptions,
  signal: AbortSignal,
): Promise<ServedCertificate> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    if (process.hasExited) throw new ClusterConnectError("ERR_ARC_PROXY_START", await process.epitaph());
    try {
      const certificate = await readServedCertificate(ports[0]);
      if (ports.every((port) => process.owns(port) !== false)) return certificate;
      throw new ClusterConnectError("ERR_ARC_PROXY_ANSWER", "another process listens at its port");
    } catch (error) {
      if (error instanceof ClusterConnectError) throw error;
      if (performance.now() > deadline) {
        const seconds = `does not listen after ${String(startTimeoutMs / 1_000)} s`;
        throw new ClusterConnectError("ERR_ARC_PROXY_START", `${seconds}: ${messageOf(error)}`);
      }
    }
    await delay(pollMs, signal);
  }
}
