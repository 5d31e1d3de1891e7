/** The client proxy in the foreground, for a person: says what it does, and what to do next. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClusterConnectError } from "../runtime/errors";
import { runProcess, type ProcessContext } from "../runtime/process";
import { validateSettings } from "../runtime/settings";
import { ClientProxy } from "./client-proxy";
import { startRequest, type ArcBackendRequest, type ConnectionFacts } from "./control";
import { arcBackendOf, provideAtDesk } from "./desk-arc";
import { deskRequest, isArc, type DeskOptions } from "./desk-settings";
import { mergeContext } from "./merged-context";

/** Runs until a signal; resolves with the exit code. `say` prints a line for the person. */
export function runDesk(options: DeskOptions, say: (line: string) => void): Promise<number> {
  // A person reads what is said; the log is for whoever asked for it.
  const logLevel = options.logFormat === "pretty" && options.logLevel === "info" ? "error" : options.logLevel;
  return runProcess(
    { name: "proxy", hop: "client proxy", logLevel, logFormat: options.logFormat },
    async (context) => {
      const tell = options.logFormat === "pretty" ? say : () => undefined;
      const directory = await mkdtemp(join(tmpdir(), "cluster-connect-"));
      context.shutdown.add("folder", () => rm(directory, { recursive: true, force: true }));
      const program = isArc(options) ? await programFor(options, directory, tell) : undefined;
      const request = validateSettings(deskRequest(options, directory, program), startRequest, "flags");
      const { backend, cluster } = request;
      tell(`Connecting to ${cluster} through ${backend.kind === "relay" ? backend.url : "Azure Arc"} …`);
      const connection = await connect(new ClientProxy(request, context.logger), context, tell);
      const kubeconfig = await offerKubeconfig(connection, options, context);
      const { contextName, serverVersion, identity, server, timingsMs } = connection;
      const seconds = ((timingsMs["total"] ?? 0) / 1_000).toFixed(1);
      tell(`Connected to ${request.cluster} (${serverVersion}) as ${identity} in ${seconds} s`);
      if (!connection.caPinned && options.insecureTrustRelay !== true) {
        tell(
          `Warning: the relay is trusted to name the cluster's CA. Pin it: --cluster-ca ${connection.caPins.join(" ")}`,
        );
      }
      tell("");
      tell(
        options.mergeInto === undefined
          ? `  export KUBECONFIG=${kubeconfig}`
          : `  kubectl config use-context ${contextName}`,
      );
      tell("  kubectl get pods");
      tell("");
      tell("Ctrl-C ends the connection and removes the files.");
      return {
        port: Number(new URL(server).port),
        kubeconfig,
        context: contextName,
        identity,
        serverVersion,
      };
    },
  );
}

/** Flags that contradict each other are told before anything is fetched. */
async function programFor(
  options: DeskOptions,
  instanceDirectory: string,
  tell: (line: string) => void,
): Promise<ArcBackendRequest["program"]> {
  arcBackendOf(options, { path: "arcProxy", digest: "" });
  const { path, digest, source } = await provideAtDesk(options, instanceDirectory, tell);
  if (source === "fetched") tell(`Fetched arcProxy; pin it: --arc-proxy-digest ${digest}`);
  return { path, digest };
}

async function connect(
  proxy: ClientProxy,
  { shutdown, logger }: ProcessContext,
  tell: (line: string) => void,
): Promise<ConnectionFacts> {
  shutdown.add("proxy", () => proxy.stop());
  let told = "";
  const progress = setInterval(() => {
    const failure = proxy.phase.failure;
    if (failure === undefined || failure.message === told) return;
    told = failure.message;
    tell(`Still trying. ${failure.hop}: ${failure.message}`);
  }, 1_000);
  try {
    await proxy.start();
    await proxy.phase.settled(new AbortController().signal);
  } finally {
    clearInterval(progress);
  }
  const { connection, failure } = proxy.phase;
  if (connection !== undefined) return connection;
  logger.debug("connect.gave_up");
  throw failure ?? new ClusterConnectError("ERR_TUNNEL_CLOSED", "stopped before it was connected");
}

async function offerKubeconfig(
  connection: ConnectionFacts,
  { mergeInto }: DeskOptions,
  { shutdown }: ProcessContext,
): Promise<string> {
  if (mergeInto === undefined) return connection.kubeconfigPath;
  const takeOut = await mergeContext(connection.kubeconfigPath, mergeInto);
  shutdown.add("kubeconfig", takeOut);
  return mergeInto;
}
