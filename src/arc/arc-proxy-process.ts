/** arcProxy as a process: in a folder of its own, with an environment of its own, its output in a file. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, open, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { delay } from "../runtime/delay";
import { ClusterConnectError, messageOf } from "../runtime/errors";
import { redact } from "../runtime/redact";
import { verifyProgram } from "./artifact/provide";
import { ownsPort } from "./port-owner";

export interface ArcProxyProcessOptions {
  readonly program: { readonly path: string; readonly digest: string };
  /** Made here, and removed by `stop`: configuration, home and temporary files of this one instance. */
  readonly folder: string;
  readonly logFile: string;
  readonly config: string;
  readonly isDebug: boolean;
}

/** Name, in the folder, of its configuration; its path on the command line is how the process is found again. */
export const arcProxyConfigFile = "config.yml";

/** What it may know of this machine. The CI systems' own sweeps find it by their tracking ids. */
const inherited = [
  "PATH",
  "SystemRoot",
  "RUNNER_TRACKING_ID",
  "VSTS_PROCESS_LOOKUP_ID",
  "HTTPS_PROXY",
  "https_proxy",
  "HTTP_PROXY",
  "http_proxy",
  "NO_PROXY",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
] as const;

const stopSteps = [
  ["SIGTERM", 1_300],
  ["SIGKILL", 500],
] as const;
const maxLastWords = 300;
const maxLogBytes = 33_554_432;

export class ArcProxyProcess {
  /** Resolves with how it has ended. */
  readonly exited: Promise<string>;
  #hasExited = false;

  private constructor(
    private readonly options: ArcProxyProcessOptions,
    private readonly child: ChildProcess,
  ) {
    this.exited = new Promise<string>((resolve) => {
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
      child.once("error", (error) => resolve(error.message));
    }).then((how) => {
      this.#hasExited = true;
      return how;
    });
  }

  /** Verifies the program and starts it. Throws ERR_ARC_PROXY_PATH, ERR_ARC_PROXY_DIGEST or ERR_ARC_PROXY_START. */
  static async start(options: ArcProxyProcessOptions): Promise<ArcProxyProcess> {
    const { program, folder, logFile, config, isDebug } = options;
    await verifyProgram(program.path, program.digest);
    try {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { mode: 0o700 });
      const configFile = join(folder, arcProxyConfigFile);
      await writeFile(configFile, config, { mode: 0o600, flag: "wx" });
      const log = openSync(logFile, "a", 0o600);
      try {
        // A group of its own, so that it can be ended together with whatever it starts.
        const child = spawn(program.path, ["-c", configFile, ...(isDebug ? ["-d"] : [])], {
          cwd: folder,
          env: environmentFor(folder),
          stdio: ["ignore", log, log],
          detached: process.platform !== "win32",
          windowsHide: true,
        });
        return new ArcProxyProcess(options, child);
      } finally {
        closeSync(log);
      }
    } catch (error) {
      throw new ClusterConnectError("ERR_ARC_PROXY_START", messageOf(error), { cause: error });
    }
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Whether it is what listens at the port; undefined where that cannot be told. */
  owns(port: number): boolean | undefined {
    const { pid } = this.child;
    return pid === undefined ? undefined : ownsPort(pid, port);
  }

  /** How it has ended, with what it said last. */
  async epitaph(): Promise<string> {
    const how = await this.exited;
    const words = await this.#lastWords().catch(() => "");
    return words === "" ? how : `${how}; its last words: ${words}`;
  }

  /** What is logged for days must not fill the disk; what was said long ago goes. */
  async boundLog(): Promise<void> {
    const file = await open(this.options.logFile).catch(() => undefined);
    const { size } = (await file?.stat()) ?? { size: 0 };
    await file?.close();
    if (size > maxLogBytes) await truncate(this.options.logFile);
  }

  /** Ends it and whatever it has started, and removes its folder. Idempotent. */
  async stop(): Promise<void> {
    await this.end();
    await rm(this.options.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async end(): Promise<void> {
    for (const [signal, waitMs] of stopSteps) {
      if (this.#hasExited) break;
      this.#kill(signal);
      const timeout = new AbortController();
      await Promise.race([this.exited, delay(waitMs, timeout.signal).catch(() => undefined)]);
      timeout.abort();
    }
    // What it may have started has its group still.
    this.#kill("SIGKILL");
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // Nobody is left.
    }
  }

  async #lastWords(): Promise<string> {
    const file = await open(this.options.logFile);
    try {
      const { size } = await file.stat();
      const length = Math.min(size, 4_096);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      const lines = buffer.toString("utf8").split(/\r?\n/);
      const last = lines.filter((line) => line.trim() !== "").at(-1) ?? "";
      return redact(last).slice(0, maxLastWords);
    } finally {
      await file.close();
    }
  }
}

/** Its home is its own folder too: what it keeps there goes with it. */
function environmentFor(folder: string): Record<string, string> {
  const known = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const home = { HOME: folder, USERPROFILE: folder, TMPDIR: folder, TEMP: folder, TMP: folder };
  return { ...Object.fromEntries(known), ...home };
}
