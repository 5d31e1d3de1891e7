/** The main step: start the client proxy, wait until the cluster has answered, export the kubeconfig. */
import type { ConnectionFacts, StartRequestInput } from "../client-proxy/control";
import { asClusterConnectError, ClusterConnectError } from "../runtime/errors";
import { redact } from "../runtime/redact";
import { awaitConnection } from "./await-connection";
import { startClientProxy } from "./client-proxy-process";
import { exportKubeconfig } from "./export-kubeconfig";
import { newInstanceDirectory } from "./instance-directory";
import { arcBackend } from "./arc-backend";
import { JobState } from "./job-state";
import { shortText } from "./plain-text";
import type { CiPlatform } from "./platform";
import { makePrivateDirectory } from "./private-directory";
import { readLogTails, showLogTails } from "./process-log";
import { report, reportPhases, seconds, setOutputs } from "./report";
import { relayBackend } from "./relay-backend";
import { readSettings, type CiSettings } from "./settings";
import { undo } from "./undo";

const maxDetailCharacters = 1_500;

/** Never rejects: a failure is the platform's to show, with one annotation, and leaves nothing behind. */
export async function connect(platform: CiPlatform, clientProxyBundle: string): Promise<void> {
  const state = new JobState(platform);
  try {
    const settings = readSettings(platform);
    const connection = await open(platform, settings, state, clientProxyBundle);
    // By the clock that started with this process: what its user has waited.
    report(platform, settings, connection, performance.now());
  } catch (error) {
    platform.fail(presentable(asClusterConnectError(error, "CI job")));
    const directory = state.read("instanceDirectory");
    if (directory !== undefined) showLogTails(platform.log, await readLogTails(directory));
    await undo(platform);
  }
}

async function open(
  platform: CiPlatform,
  settings: CiSettings,
  state: JobState,
  bundle: string,
): Promise<ConnectionFacts> {
  const { log, job } = platform;
  log.startGroup(`Connect to ${settings.clusterName} through ${nameOf(settings.way)}`);
  try {
    const instanceDirectory = newInstanceDirectory(job.tempDirectory);
    state.save("summary", String(settings.summary));
    state.save("clusterName", settings.clusterName);
    state.save("way", settings.way.kind);
    state.save("instanceDirectory", instanceDirectory);
    await makePrivateDirectory(instanceDirectory);
    const request = await startRequest(platform, settings, instanceDirectory);
    const child = startClientProxy(bundle, request, job.environment);
    log.info(`${seconds(performance.now())}  Started the client proxy (process ${String(child.pid)})`);
    const connection = await awaitConnection({
      instanceDirectory,
      child,
      timeoutMs: settings.timeoutMs,
      onObstacle: ({ message, code }) =>
        log.info(`${seconds(performance.now())}  Not connected yet: ${redact(message)} (${code})`),
    });
    reportPhases(log, connection);
    const path = await exportKubeconfig(platform, state, connection);
    setOutputs(platform, connection, path);
    state.save("connectedAt", String(Date.now()));
    return connection;
  } finally {
    // An error inside an open group would be folded away.
    log.endGroup();
  }
}

async function startRequest(
  platform: CiPlatform,
  settings: CiSettings,
  instanceDirectory: string,
): Promise<StartRequestInput> {
  const { way, namespace } = settings;
  return {
    instanceDirectory,
    cluster: settings.clusterName,
    backend:
      way.kind === "relay" ? relayBackend(platform, way) : await arcBackend(platform, way, instanceDirectory),
    contextName: settings.contextName,
    ...(namespace === undefined ? {} : { namespace }),
    logLevel: platform.job.isDebug ? "debug" : settings.logLevel,
  };
}

const nameOf = (way: CiSettings["way"]): string => (way.kind === "relay" ? way.relayUrl.origin : "Azure Arc");

/** What failed may be told in words from the wire. */
const presentable = ({ code, detail, hop }: ClusterConnectError): ClusterConnectError =>
  new ClusterConnectError(code, shortText(redact(detail), maxDetailCharacters), { hop });
