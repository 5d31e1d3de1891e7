/**
 * A job as the GitHub runner runs one: steps are the shipped bundles, spawned with the runner's environment contract;
 * what they write into the command files reaches the steps that follow.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCommandFile } from "./command-files";
import { readWorkflowCommands, type WorkflowCommand } from "./workflow-commands";

export interface StepResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly commands: WorkflowCommand[];
  readonly outputs: Record<string, string>;
  readonly summary: string;
  /** From start to the end of its output, which the runner waits for. */
  readonly durationMs: number;
  errors(): string[];
  warnings(): string[];
}

export interface JobOptions {
  /** Mints the job's identity token. */
  readonly mint: (audience: string) => Promise<string>;
  /** Whether the job has `permissions: id-token: write`. */
  readonly idToken?: boolean;
  readonly node?: string;
  readonly env?: Record<string, string>;
}

const compressedKillMs = { SIGINT: 750, SIGTERM: 250 };

export class Job {
  readonly folder = mkdtempSync(join(tmpdir(), "job-"));
  readonly temp = join(this.folder, "_temp");
  readonly trackingId = `github_${randomUUID()}`;
  readonly requestToken = `request-${randomUUID()}`;
  /** The environment that later steps see. */
  readonly environment: Record<string, string> = {};
  /** Audiences that identity tokens were asked for. */
  readonly audiences: string[] = [];
  readonly #states = new Map<string, Record<string, string>>();
  #oidc!: Server;

  private constructor(private readonly options: JobOptions) {
    Object.assign(this.environment, options.env);
  }

  static async start(options: JobOptions): Promise<Job> {
    const job = new Job(options);
    mkdirSync(job.temp);
    job.#oidc = createServer((request, response) => {
      const audience = new URL(request.url ?? "", "http://x").searchParams.get("audience") ?? "";
      if (request.headers.authorization !== `Bearer ${job.requestToken}`) {
        response.writeHead(401).end();
        return;
      }
      job.audiences.push(audience);
      options.mint(audience).then(
        (value) => response.end(JSON.stringify({ value })),
        () => response.writeHead(500).end(),
      );
    });
    job.#oidc.listen(0, "127.0.0.1");
    await once(job.#oidc, "listening");
    return job;
  }

  /** Runs a stage of a step; stages of the same step share state. `cancelAfter` resolves when it is cancelled. */
  async run(
    step: string,
    bundle: string,
    inputs: Readonly<Record<string, string>>,
    { cancelAfter, kill = false }: { cancelAfter?: Promise<unknown>; kill?: boolean } = {},
  ): Promise<StepResult> {
    const files = this.#commandFiles();
    const started = performance.now();
    const child = spawn(this.options.node ?? process.execPath, [bundle], {
      cwd: this.folder,
      env: { ...this.#baseEnvironment(), ...this.#inputs(inputs), ...this.#stateOf(step), ...files },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    const collect = (chunk: Buffer) => (stdout += chunk.toString());
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    void cancelAfter?.then(async () => {
      for (const signal of kill ? (["SIGKILL"] as const) : (["SIGINT", "SIGTERM", "SIGKILL"] as const)) {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill(signal);
        if (signal !== "SIGKILL")
          await new Promise((resolve) => setTimeout(resolve, compressedKillMs[signal]));
      }
    });
    // The runner waits for both streams to end: a background process that keeps one open hangs the step.
    await once(child, "close");
    const commands = readWorkflowCommands(stdout);
    Object.assign(this.environment, readCommandFile(files["GITHUB_ENV"]!));
    this.#states.set(step, { ...this.#states.get(step), ...readCommandFile(files["GITHUB_STATE"]!) });
    const messages = (kind: string) =>
      commands.filter(({ command }) => command === kind).map(({ message }) => message);
    return {
      exitCode: child.exitCode,
      stdout,
      commands,
      outputs: readCommandFile(files["GITHUB_OUTPUT"]!),
      summary: readFileSync(files["GITHUB_STEP_SUMMARY"]!, "utf8"),
      durationMs: performance.now() - started,
      errors: () => messages("error"),
      warnings: () => messages("warning"),
    };
  }

  /** What main has left for post of a step. */
  stateOf(step: string): Readonly<Record<string, string>> {
    return this.#states.get(step) ?? {};
  }

  /** Processes of this job that still run, by the id that the runner sweeps by. */
  leftoverProcesses(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return (
            readFileSync(`/proc/${pid}/environ`, "utf8").includes(`RUNNER_TRACKING_ID=${this.trackingId}`) &&
            !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
          );
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  leftoverFiles(): string[] {
    return readdirSync(this.temp, { recursive: true, encoding: "utf8" }).filter(
      (name) => !name.startsWith("_command"),
    );
  }

  async close(): Promise<void> {
    for (const pid of this.leftoverProcesses()) process.kill(pid, "SIGKILL");
    this.#oidc.closeAllConnections();
    this.#oidc.close();
    await once(this.#oidc, "close");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #commandFiles(): Record<string, string> {
    const folder = mkdtempSync(join(this.temp, "_command"));
    const names = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"];
    return Object.fromEntries(
      names.map((name) => {
        writeFileSync(join(folder, name), "");
        return [name, join(folder, name)];
      }),
    );
  }

  #baseEnvironment(): Record<string, string> {
    const { port } = this.#oidc.address() as AddressInfo;
    const identity =
      this.options.idToken === false
        ? {}
        : {
            ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
            ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.requestToken,
          };
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.folder,
      CI: "true",
      GITHUB_ACTIONS: "true",
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: join(this.folder, "_tool"),
      RUNNER_TRACKING_ID: this.trackingId,
      ...identity,
      ...this.environment,
    };
  }

  /** Upper case, blanks to underscores, hyphens kept. */
  #inputs(inputs: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [
        `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
        value,
      ]),
    );
  }

  #stateOf(step: string): Record<string, string> {
    const state = this.#states.get(step) ?? {};
    return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
  }
}
