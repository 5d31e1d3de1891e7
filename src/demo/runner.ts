/** Runs the shipped action's stages as GitHub's runner does: environment in, command files out. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tokenRequestUrl } from "./job-variables";
import { WorkflowOutput } from "./workflow-output";

export interface RunnerOptions {
  readonly folder: string;
  readonly issuerUrl: string;
  readonly issuerCaFile: string;
  /** What the job shows the issuer to be given its tokens. */
  readonly requestToken: string;
  readonly print: (line: string) => void;
}

export interface StageResult {
  readonly exitCode: number | null;
  readonly seconds: number;
}

const commandFiles = [
  "GITHUB_ENV",
  "GITHUB_OUTPUT",
  "GITHUB_STATE",
  "GITHUB_PATH",
  "GITHUB_STEP_SUMMARY",
] as const;

/** What the runner does with a stage that is cancelled, in milliseconds since. */
const cancelLadder = [
  ["SIGINT", 0],
  ["SIGTERM", 7_500],
  ["SIGKILL", 10_000],
] as const;

export class Runner {
  /** What the steps so far have exported. */
  readonly environment: Record<string, string> = {};
  readonly outputs: Record<string, string> = {};
  readonly temp: string;
  /** In the environment of every process of the job: what the runner sweeps by when the job is over. */
  readonly trackingId = `github_${randomUUID()}`;
  readonly #state: Record<string, string> = {};

  constructor(private readonly options: RunnerOptions) {
    this.temp = join(options.folder, "_temp");
    mkdirSync(this.temp, { recursive: true });
  }

  /** Runs one stage to its end; `cancelled` ends it as a cancelled job would. */
  async run(
    bundle: string,
    inputs: Readonly<Record<string, string>>,
    cancelled?: AbortSignal,
  ): Promise<StageResult> {
    const folder = mkdtempSync(join(this.options.folder, "_commands-"));
    const files = Object.fromEntries(commandFiles.map((name) => [name, join(folder, name)]));
    for (const file of Object.values(files)) writeFileSync(file, "");
    const started = performance.now();
    const child = spawn(process.execPath, [bundle], {
      cwd: this.options.folder,
      env: { ...this.#environment(), ...inputVariables(inputs), ...stateVariables(this.#state), ...files },
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      // A Ctrl-C at the terminal is for the demo, which cancels the stage as the runner would.
      detached: process.platform !== "win32",
    });
    const closed = once(child, "close");
    const output = new WorkflowOutput(this.options.print);
    child.stdout.on("data", (chunk: Buffer) => output.take(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.take(chunk));
    const stopCancelling = cancelOn(cancelled, child);
    await closed;
    stopCancelling();
    output.end();
    const seconds = (performance.now() - started) / 1_000;
    Object.assign(this.environment, readCommandFile(files["GITHUB_ENV"] ?? ""));
    Object.assign(this.outputs, readCommandFile(files["GITHUB_OUTPUT"] ?? ""));
    Object.assign(this.#state, readCommandFile(files["GITHUB_STATE"] ?? ""));
    rmSync(folder, { recursive: true });
    return { exitCode: child.exitCode, seconds };
  }

  #environment(): Record<string, string> {
    const { folder, issuerUrl, issuerCaFile, requestToken } = this.options;
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      CI: "true",
      GITHUB_ACTIONS: "true",
      RUNNER_TEMP: this.temp,
      RUNNER_TRACKING_ID: this.trackingId,
      ACTIONS_ID_TOKEN_REQUEST_URL: tokenRequestUrl(issuerUrl),
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
      NODE_EXTRA_CA_CERTS: issuerCaFile,
      ...this.environment,
    };
  }
}

function cancelOn(cancelled: AbortSignal | undefined, child: ChildProcess): () => void {
  const timers: NodeJS.Timeout[] = [];
  const cancel = () => {
    for (const [signal, afterMs] of cancelLadder) {
      timers.push(setTimeout(() => child.kill(signal), afterMs));
    }
  };
  if (cancelled?.aborted === true) cancel();
  cancelled?.addEventListener("abort", cancel, { once: true });
  return () => {
    cancelled?.removeEventListener("abort", cancel);
    for (const timer of timers) clearTimeout(timer);
  };
}

/** Upper case, blanks to underscores, hyphens kept. */
const inputVariables = (inputs: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
      value,
    ]),
  );

const stateVariables = (state: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));

/** The toolkit writes `name<<delimiter`, the value's lines, and the delimiter. */
function readCommandFile(path: string): Record<string, string> {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  const blocks = text.matchAll(/^([^<\s]+)<<(.+)\n([\s\S]*?)\n?\2$/gm);
  return Object.fromEntries([...blocks].map(([, name = "", , value = ""]) => [name, value]));
}
