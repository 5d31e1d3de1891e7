/**
 * A job as the Azure Pipelines agent runs one: stages are the shipped bundles, spawned with the agent's environment
 * contract; what they write as `##vso[…]` reaches the tasks that follow, as far as task.json allows.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { nameOn } from "../../../src/ci/system-names";
import { outputs as outputTable } from "../../../src/ci/inputs";
import { root } from "../bundle-process";
import type { CiCommand, CiJob, JobOptions, RunOptions, StepResult } from "../ci-job";
import { processesOf } from "../fake-runner/processes";
import { runProcess, type ProcessEnd } from "../fake-runner/run-process";
import { agentEnvironment } from "./environment";
import { AzureIdentityEndpoints } from "./identity-endpoints";
import {
  environmentName,
  readLoggingCommand,
  readLoggingCommands,
  type LoggingCommand,
} from "./logging-commands";

interface TaskManifest {
  readonly inputs: readonly { readonly name: string; readonly defaultValue: string }[];
  readonly outputVariables: readonly { readonly name: string }[];
  readonly restrictions: { readonly settableVariables: { readonly allowed: readonly string[] } };
}

const system = "azure-pipelines";

export class AgentJob implements CiJob {
  readonly folder = mkdtempSync(join(tmpdir(), "agent-job-"));
  readonly temp: string;
  readonly lookupId = `vsts_${randomUUID()}`;
  readonly environment: Record<string, string> = {};
  readonly task = JSON.parse(readFileSync(join(root, "task.json"), "utf8")) as TaskManifest;
  readonly #states = new Map<string, Record<string, string>>();
  readonly #masks = new Set<string>();
  /** What the agent still has to read when the step is over, and deletes with the folder. */
  readonly #uploads = new Set<string>();

  private constructor(
    private readonly options: JobOptions,
    readonly identity: AzureIdentityEndpoints,
  ) {
    this.temp = join(this.folder, options.tempName ?? "_temp");
    mkdirSync(this.temp, { recursive: true });
    Object.assign(this.environment, options.env);
  }

  static async start(options: JobOptions): Promise<AgentJob> {
    return new AgentJob(options, await AzureIdentityEndpoints.start(options.mint));
  }

  async run(
    step: string,
    bundle: string,
    inputs: Readonly<Record<string, string>>,
    options: RunOptions = {},
  ): Promise<StepResult> {
    const started = performance.now();
    const end = await runProcess({
      node: this.options.node ?? process.execPath,
      bundle,
      cwd: this.folder,
      env: {
        ...this.#baseEnvironment(),
        ...options.env,
        ...this.#inputs(inputs),
        ...Object.fromEntries(
          Object.entries(this.stateOf(step)).map(([name, value]) => [`VSTS_TASKVARIABLE_${name}`, value]),
        ),
      },
      cancelAfter: options.cancelAfter,
      kill: options.kill,
    });
    const durationMs = performance.now() - started;
    return this.#resultOf(step, end, durationMs);
  }

  stateOf(step: string): Readonly<Record<string, string>> {
    return this.#states.get(step) ?? {};
  }

  leftoverProcesses = (): number[] => processesOf(`VSTS_PROCESS_LOOKUP_ID=${this.lookupId}`);

  leftoverFiles(): string[] {
    const kept = [...this.#uploads].flatMap((path) => [path, dirname(path)]);
    return readdirSync(this.temp, { recursive: true, encoding: "utf8" }).filter(
      // The task library's own, of each task.
      (name) => name !== ".taskkey" && !kept.includes(join(this.temp, name)),
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

  #baseEnvironment = () =>
    agentEnvironment({
      folder: this.folder,
      temp: this.temp,
      lookupId: this.lookupId,
      identity: this.options.idToken === false ? undefined : this.identity,
      variables: this.environment,
    });

  /** The manifest's default for what was not given; unlike the runner, the agent passes nothing that it does not name. */
  #inputs(given: Readonly<Record<string, string>>): Record<string, string> {
    const values = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [nameOn(system, name), value]),
    );
    const unknown = Object.keys(values).filter(
      (name) => !this.task.inputs.some((input) => input.name === name),
    );
    if (unknown.length > 0) throw new Error(`the task has no ${unknown.join()}`);
    return Object.fromEntries(
      this.task.inputs.map(({ name, defaultValue }) => [
        `INPUT_${environmentName(name)}`,
        values[name] ?? defaultValue,
      ]),
    );
  }

  #resultOf(step: string, end: ProcessEnd, durationMs: number): StepResult {
    const taken: Record<string, string> = {};
    const problems: string[] = [];
    let isFailed = false;
    let summary = "";
    for (const command of readLoggingCommands(end.output)) {
      const { properties, message } = command;
      if (command.command === "task.setvariable") problems.push(...this.#setVariable(command, taken));
      if (command.command === "task.settaskvariable") {
        const state = { ...this.stateOf(step), [environmentName(properties["variable"] ?? "")]: message };
        this.#states.set(step, state);
      }
      if (command.command === "task.complete") isFailed ||= properties["result"] === "Failed";
      if (command.command === "task.uploadsummary") {
        if (!existsSync(message)) problems.push(`there is no ${message}`);
        else summary += readFileSync(message, "utf8");
        if (relative(this.temp, message).startsWith("..")) problems.push(`${message} would stay`);
        this.#uploads.add(message);
      }
    }
    // Whatever the task says of itself.
    if (end.exitCode !== 0)
      problems.push(`the process failed with exit code ${String(end.exitCode ?? end.signal)}`);
    const commands = [
      ...readLoggingCommands(end.output).map(asCiCommand),
      ...problems.map((message) => ({ command: "error", message })),
    ];
    const messages = (kind: string) =>
      commands.filter(({ command }) => command === kind).map(({ message }) => message);
    return {
      ...end,
      result: isFailed || problems.length > 0 ? "failed" : "succeeded",
      stdout: end.output,
      unmasked: end.output.replaceAll(/^.*##vso\[task\.setsecret[^\]]*\].*$/gm, ""),
      log: this.#log(end.output),
      commands,
      outputs: Object.fromEntries(
        Object.keys(outputTable).flatMap((name) => {
          const value = taken[nameOn(system, name)];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      summary,
      durationMs,
      errors: () => messages("error"),
      warnings: () => messages("warning"),
      // There is nothing between a warning and a line of the log.
      notices: () =>
        end.output.split("\n").filter((line) => line.includes("kubectl create clusterrolebinding")),
    };
  }

  /** Returns what the agent would complain of. */
  #setVariable({ properties, message }: LoggingCommand, outputs: Record<string, string>): string[] {
    const { variable = "", isoutput = "false", issecret = "false" } = properties;
    if (!this.task.restrictions.settableVariables.allowed.includes(variable)) {
      return [`the task may not set ${variable}`];
    }
    const isListed = this.task.outputVariables.some(({ name }) => name === variable);
    if (isoutput === "true" || isListed) outputs[variable] = message;
    else if (issecret === "true") this.#masks.add(message);
    else this.environment[environmentName(variable)] = message;
    return [];
  }

  #log(output: string): string {
    return output
      .split(/\r?\n/)
      .flatMap((line) => {
        const found = readLoggingCommand(line);
        const { command, message } =
          found === undefined ? { command: "", message: line } : asCiCommand(found);
        if (command === "add-mask") this.#masks.add(message);
        if (!["", "error", "warning", "debug", "group"].includes(command)) return [];
        const text = command === "" ? message : `[${command}] ${message}`;
        return [[...this.#masks].reduce((shown, mask) => shown.replaceAll(mask, "***"), text)];
      })
      .join("\n");
  }
}

/** By GitHub's names, so that one test reads both. */
function asCiCommand({ command, properties, message }: LoggingCommand): CiCommand {
  if (command === "task.logissue") return { command: properties["type"] ?? "", message };
  if (command === "task.setsecret") return { command: "add-mask", message };
  return { command: command.replace(/^task\./, ""), message };
}
