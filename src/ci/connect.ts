/** The main step: start the client proxy, wait until the cluster has answered, export the kubeconfig. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionFacts, StartRequestInput } from "../client-proxy/control";
import { asClusterConnectError } from "../runtime/errors";
import { redact } from "../runtime/redact";
import { startClientProxy, readLogTail } from "./client-proxy-process";
import { awaitConnection } from "./await-connection";
import { exportKubeconfig } from "./export-kubeconfig";
import { JobState } from "./job-state";
import { plainText } from "./plain-text";
import type { CiPlatform } from "./platform";
import { report } from "./report";
import { readSettings, type CiSettings } from "./settings";
import { undo } from "./undo";

/** Never rejects: a failure is the platform's to show, with one annotation. */
export async function connect(platform: CiPlatform, clientProxyBundle: string): Promise<void> {
  const state = new JobState(platform);
  try {
    const settings = readSettings(platform);
    const connection = await open(platform, settings, state, clientProxyBundle);
    const path = await exportKubeconfig(platform, state, connection);
    report(platform, settings, connection, path);
  } catch (error) {
    await showLog(platform, state);
    await undo(platform);
    platform.fail(asClusterConnectError(error));
  }
}

async function open(
  platform: CiPlatform,
  settings: CiSettings,
  state: JobState,
  bundle: string,
): Promise<ConnectionFacts> {
  const { tempDirectory, environment } = platform.job;
  const instanceDirectory = join(tempDirectory, `cluster-connect-${randomBytes(8).toString("hex")}`);
  const request = startRequest(platform, settings, instanceDirectory);
  state.save("summary", String(settings.summary));
  state.save("instanceDirectory", instanceDirectory);
  await mkdir(instanceDirectory, { mode: 0o700 });
  platform.log.startGroup(
    `Connect to ${plainText(settings.clusterName)} through ${settings.relayUrl.origin}`,
  );
  try {
    const child = startClientProxy(bundle, request, environment);
    state.save("pid", String(child.pid));
    platform.log.info(`Started the client proxy (process ${String(child.pid)})`);
    const connection = await awaitConnection(instanceDirectory, child, settings.timeoutMs);
    child.release();
    return connection;
  } finally {
    // An error inside an open group would be folded away.
    platform.log.endGroup();
  }
}

function startRequest(
  platform: CiPlatform,
  settings: CiSettings,
  instanceDirectory: string,
): StartRequestInput {
  const { relayKey, relayCa, namespace } = settings;
  return {
    instanceDirectory,
    cluster: settings.clusterName,
    relay: {
      url: settings.relayUrl.origin,
      ...(relayCa === undefined ? {} : { caPem: relayCa }),
      credential:
        relayKey === undefined
          ? platform.identityToken(settings.relayAudience)
          : { kind: "sas", keyName: relayKey.name, key: relayKey.key },
    },
    clusterCredential: platform.identityToken(settings.clusterAudience),
    clusterCa: [...settings.clusterCa],
    contextName: settings.contextName,
    ...(namespace === undefined ? {} : { namespace }),
    logLevel: settings.logLevel,
  };
}

async function showLog(platform: CiPlatform, state: JobState): Promise<void> {
  const directory = state.read("instanceDirectory");
  const lines = directory === undefined ? [] : await readLogTail(directory);
  if (lines.length === 0) return;
  platform.log.startGroup("The client proxy's log, its last lines");
  for (const line of lines) platform.log.info(`| ${plainText(redact(line))}`);
  platform.log.endGroup();
}
