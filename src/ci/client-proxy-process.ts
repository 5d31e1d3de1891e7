/** Starts and stops the client proxy as a process that outlives the step. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { logFile, type StartRequestInput } from "../client-proxy/control";
import { delay } from "../runtime/delay";
import { isOurProcess } from "./process-identity";

/**
 * The child's whole environment, by allow-list: the job's holds secrets of other steps and the right to request
 * identity tokens. The tracking ids stay, so that the CI system's own sweep finds the process if post never runs.
 */
const inherited = [
  "PATH",
  "HOME",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "RUNNER_TRACKING_ID",
  "VSTS_PROCESS_LOOKUP_ID",
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
  "NO_PROXY",
  "no_proxy",
  "ALL_PROXY",
  "all_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

export const childEnvironment = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    inherited.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

export interface StartedProcess {
  readonly pid: number;
  /** Resolves when it has ended; only while this process lives. */
  readonly ended: Promise<void>;
  /** Lets this process end without it. */
  release(): void;
}

/**
 * Starts `bundle` detached, its settings on stdin, its output in the instance folder. The folder's path is an
 * argument too: it is how the process is recognised later.
 */
export function startClientProxy(
  bundle: string,
  request: StartRequestInput,
  environment: Environment,
): StartedProcess {
  const log = openSync(join(request.instanceDirectory, logFile), "wx", 0o600);
  try {
    const child = spawn(process.execPath, [bundle, request.instanceDirectory], {
      detached: true,
      windowsHide: true,
      cwd: request.instanceDirectory,
      env: childEnvironment(environment),
      stdio: ["pipe", log, log],
    });
    const ended = new Promise<void>((resolve) => {
      child.once("exit", () => resolve()).once("error", () => resolve());
    });
    child.stdin?.on("error", () => undefined).end(JSON.stringify(request));
    return {
      pid: child.pid ?? 0,
      ended,
      release: () => child.unref(),
    };
  } finally {
    closeSync(log);
  }
}

/** Signals the process's group until it is gone; returns whether it is. */
export async function killClientProxy(pid: number, instanceDirectory: string): Promise<boolean> {
  for (const [signal, waitMs] of [
    ["SIGTERM", 2_000],
    ["SIGKILL", 1_000],
  ] as const) {
    if (!isOurProcess(pid, instanceDirectory)) return true;
    try {
      process.kill(-pid, signal);
    } catch {
      // Gone between the look and the signal.
    }
    const deadline = performance.now() + waitMs;
    while (performance.now() < deadline && isOurProcess(pid, instanceDirectory)) await delay(20);
  }
  return !isOurProcess(pid, instanceDirectory);
}

/** The end of the process's log, for people. Empty when there is none. */
export async function readLogTail(instanceDirectory: string, lines = 40): Promise<string[]> {
  try {
    const text = await readFile(join(instanceDirectory, logFile), "utf8");
    return text.trimEnd().split("\n").slice(-lines);
  } catch {
    return [];
  }
}
