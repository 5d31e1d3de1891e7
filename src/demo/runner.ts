/** Runs the shipped action's stages as GitHub's runner does: environment in, command files out. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface RunnerOptions {
  readonly folder: string;
  readonly issuerUrl: string;
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

export class Runner {
  /** What the steps so far have exported. */
  readonly environment: Record<string, string> = {};
  readonly outputs: Record<string, string> = {};
  readonly temp: string;
  readonly #state: Record<string, string> = {};
  readonly #trackingId = `github_${randomUUID()}`;

  constructor(private readonly options: RunnerOptions) {
    this.temp = join(options.folder, "_temp");
    mkdirSync(this.temp, { recursive: true });
  }

  async run(bundle: string, inputs: Readonly<Record<string, string>>): Promise<StageResult> {
    const folder = mkdtempSync(join(this.options.folder, "_commands-"));
    const files = Object.fromEntries(commandFiles.map((name) => [name, join(folder, name)]));
    for (const file of Object.values(files)) writeFileSync(file, "");
    const started = performance.now();
    const child = spawn(process.execPath, [bundle], {
      cwd: this.options.folder,
      env: { ...this.#environment(), ...inputVariables(inputs), ...stateVariables(this.#state), ...files },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    let partial = "";
    const show = (chunk: Buffer) => {
      const lines = (partial + chunk.toString("utf8")).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) this.#show(line);
    };
    child.stdout.on("data", show);
    child.stderr.on("data", show);
    await once(child, "close");
    const seconds = (performance.now() - started) / 1_000;
    Object.assign(this.environment, readCommandFile(files["GITHUB_ENV"] ?? ""));
    Object.assign(this.outputs, readCommandFile(files["GITHUB_OUTPUT"] ?? ""));
    Object.assign(this.#state, readCommandFile(files["GITHUB_STATE"] ?? ""));
    rmSync(folder, { recursive: true });
    return { exitCode: child.exitCode, seconds };
  }

  /** The process that main has left running. */
  get backgroundProcess(): number | undefined {
    const pid = Number(this.#state["pid"]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  }

  /** Commands to the runner are obeyed, not shown; masks and debug lines not even mentioned. */
  #show(line: string): void {
    const [, command, message = ""] = /^::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line) ?? [];
    if (command === undefined) return this.options.print(line);
    const text = message.replaceAll("%0A", "\n      ").replaceAll("%25", "%");
    if (command === "group") this.options.print(`▸ ${text}`);
    else if (["notice", "warning", "error"].includes(command)) this.options.print(`[${command}] ${text}`);
  }

  #environment(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.options.folder,
      CI: "true",
      GITHUB_ACTIONS: "true",
      RUNNER_TEMP: this.temp,
      RUNNER_TRACKING_ID: this.#trackingId,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.options.issuerUrl}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.options.requestToken,
      ...this.environment,
    };
  }
}

const inputVariables = (inputs: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));

const stateVariables = (state: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));

/** The toolkit writes `name<<delimiter`, the value's lines, and the delimiter. */
function readCommandFile(path: string): Record<string, string> {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  const blocks = text.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n?\2$/gm);
  return Object.fromEntries([...blocks].map(([, name = "", , value = ""]) => [name, value]));
}
