/** Starts the client proxy as a process that outlives the step. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { logFile, type StartRequestInput } from "../client-proxy/control";
import { childEnvironment, type Environment } from "./child-environment";

export interface StartedProcess {
  readonly pid: number | undefined;
  /** How it has ended, once it has. */
  readonly ended: string | undefined;
}

/**
 * Starts `bundle` detached, its settings on stdin, its output in the instance folder: with an inherited stdout the
 * runner would wait for it. The folder's path is an argument too: it is how the process is found later.
 */
export function startClientProxy(
  bundle: string,
  request: StartRequestInput,
  environment: Environment,
): StartedProcess {
  const log = openSync(join(request.instanceDirectory, logFile), "wx", 0o600);
  try {
    // Not `node`: a job need not have one on its PATH.
    const child = spawn(process.execPath, [bundle, request.instanceDirectory], {
      detached: true,
      windowsHide: true,
      cwd: request.instanceDirectory,
      env: childEnvironment(environment),
      stdio: ["pipe", log, log],
    });
    let ended: string | undefined;
    child.once("exit", (code, signal) => (ended = signal ?? `exit code ${String(code)}`));
    child.once("error", (error) => (ended = error.message));
    child.stdin?.on("error", () => undefined).end(JSON.stringify(request));
    child.unref();
    return {
      pid: child.pid,
      get ended() {
        return ended;
      },
    };
  } finally {
    closeSync(log);
  }
}
