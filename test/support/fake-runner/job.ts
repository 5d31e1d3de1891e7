/**
 * A job as the GitHub runner runs one: steps are the shipped bundles, spawned with the runner's environment contract;
 * what they write into the command files reaches the steps that follow.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { CiJob, JobOptions, RunOptions, StepResult } from "../ci-job";
import { readCommandFile } from "./command-files";
import { IdentityEndpoint } from "./identity-endpoint";
import { processesOf } from "./processes";
import { runProcess } from "./run-process";
import { readWorkflowCommands, renderLog } from "./workflow-commands";

/** The runner does not take these from GITHUB_ENV. */
const refusedVariables = ["NODE_OPTIONS"];

export class Job implements CiJob {
  readonly folder = mkdtempSync(join(tmpdir(), "job-"));
  readonly temp: string;
  readonly trackingId = `github_${randomUUID()}`;
  readonly environment: Record<string, string> = {};
  readonly #states = new Map<string, Record<string, string>>();
  readonly #masks = new Set<string>();
  readonly #paths: string[] = [];

  private constructor(
    private readonly options: JobOptions,
    readonly identity: IdentityEndpoint,
  ) {
    this.temp = join(this.folder, options.tempName ?? "_temp");
    mkdirSync(this.temp, { recursive: true });
    Object.assign(this.environment, options.env);
  }

  static async start(options: JobOptions): Promise<Job> {
    return new Job(options, await IdentityEndpoint.start(options.mint));
  }

  async run(
    step: string,
    bundle: string,
    inputs: Readonly<Record<string, string>>,
    options: RunOptions = {},
  ): Promise<StepResult> {
    const files = this.#commandFiles();
    const started = performance.now();
    const end = await runProcess({
      node: this.options.node ?? process.execPath,
      bundle,
      cwd: this.folder,
      env: {
        ...this.#baseEnvironment(),
        ...options.env,
        ...inputVariables(inputs),
        ...prefixed("STATE_", this.stateOf(step)),
        ...files,
      },
      cancelAfter: options.cancelAfter,
      kill: options.kill,
    });
    const durationMs = performance.now() - started;
    this.#takeVariables(readCommandFile(files.GITHUB_ENV));
    this.#states.set(step, { ...this.stateOf(step), ...readCommandFile(files.GITHUB_STATE) });
    this.#paths.unshift(...readFileSync(files.GITHUB_PATH, "utf8").split("\n").filter(Boolean).reverse());
    const commands = readWorkflowCommands(end.output);
    const messages = (kind: string) =>
      commands.filter(({ command }) => command === kind).map(({ message }) => message);
    return {
      ...end,
      result: end.exitCode === 0 ? "succeeded" : "failed",
      stdout: end.output,
      unmasked: end.output.replaceAll(/^::add-mask::.*$/gm, ""),
      log: renderLog(end.output, this.#masks),
      commands,
      outputs: readCommandFile(files.GITHUB_OUTPUT),
      summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8"),
      durationMs,
      errors: () => messages("error"),
      warnings: () => messages("warning"),
      notices: () => messages("notice"),
    };
  }

  stateOf(step: string): Readonly<Record<string, string>> {
    return this.#states.get(step) ?? {};
  }

  leftoverProcesses = (): number[] => processesOf(`RUNNER_TRACKING_ID=${this.trackingId}`);

  leftoverFiles(): string[] {
    return readdirSync(this.temp, { recursive: true, encoding: "utf8" }).filter(
      (name) => !name.startsWith("_command"),
    );
  }

  sweep(): number[] {
    const orphans = this.leftoverProcesses();
    for (const pid of orphans) process.kill(pid, "SIGKILL");
    return orphans;
  }

  async close(): Promise<void> {
    this.sweep();
    await this.identity.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #commandFiles() {
    const folder = mkdtempSync(join(this.temp, "_command"));
    const create = (name: string) => {
      writeFileSync(join(folder, name), "");
      return join(folder, name);
    };
    return {
      GITHUB_ENV: create("env"),
      GITHUB_OUTPUT: create("output"),
      GITHUB_STATE: create("state"),
      GITHUB_PATH: create("path"),
      GITHUB_STEP_SUMMARY: create("summary"),
    };
  }

  #takeVariables(variables: Readonly<Record<string, string>>): void {
    const refused = refusedVariables.filter((name) => name in variables);
    if (refused.length > 0) throw new Error(`the runner takes no ${refused.join()} from GITHUB_ENV`);
    Object.assign(this.environment, variables);
  }

  #baseEnvironment(): Record<string, string> {
    return {
      HOME: this.folder,
      CI: "true",
      GITHUB_ACTIONS: "true",
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: join(this.folder, "_tool"),
      RUNNER_TRACKING_ID: this.trackingId,
      ...(this.options.idToken === false ? {} : this.identity.environment),
      ...this.environment,
      PATH: [...this.#paths, this.environment["PATH"] ?? process.env["PATH"] ?? ""].join(delimiter),
    };
  }
}

/** Upper case, blanks to underscores, hyphens kept. */
const inputVariables = (inputs: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
      value,
    ]),
  );

const prefixed = (prefix: string, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
