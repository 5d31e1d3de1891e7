import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as AzurePipelines from "../../src/ci/azure-pipelines/platform";
import { createGitHubPlatform } from "../../src/ci/github/platform";
import type { CiPlatform } from "../../src/ci/platform";
import { nameOn } from "../../src/ci/system-names";
import { environmentName, readLoggingCommands } from "../support/fake-agent/logging-commands";
import { readCommandFile } from "../support/fake-runner/command-files";
import { readWorkflowCommands } from "../support/fake-runner/workflow-commands";
import { FakePlatform } from "../support/fake-platform";
import { describeCiPlatform, type PlatformHarness } from "./ci-platform-suite";

const login = {
  kind: "application",
  clientId: "client",
  tenantId: "tenant",
  authority: "https://entra.invalid",
} as const;

function createGitHub(inputs: Record<string, string>): PlatformHarness {
  const folder = mkdtempSync(join(tmpdir(), "platform-"));
  const file = (name: string) => {
    const path = join(folder, name);
    writeFileSync(path, "");
    return path;
  };
  const before = { ...process.env };
  Object.assign(process.env, {
    GITHUB_ENV: file("env"),
    GITHUB_OUTPUT: file("output"),
    GITHUB_STATE: file("state"),
    GITHUB_STEP_SUMMARY: file("summary"),
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://identity.invalid/token",
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
  });
  for (const [name, value] of Object.entries(inputs)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  let stdout = "";
  const write = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  const messages = (kind: string) =>
    readWorkflowCommands(stdout)
      .filter(({ command }) => command === kind)
      .map(({ message }) => message);
  return {
    platform: createGitHubPlatform(),
    nextStage() {
      for (const [name, value] of Object.entries(readCommandFile(join(folder, "state")))) {
        process.env[`STATE_${name}`] = value;
      }
      return createGitHubPlatform();
    },
    commands: () => readWorkflowCommands(stdout),
    own: ["add-mask", "error", "warning", "notice", "debug", "group", "endgroup"],
    login,
    hasFailed: () => process.exitCode === 1,
    masks: () => messages("add-mask"),
    outputs: () => readCommandFile(join(folder, "output")),
    exported: () => readCommandFile(join(folder, "env")),
    annotations: () => messages("error"),
    summary: () => readFileSync(join(folder, "summary"), "utf8"),
    close() {
      write.mockRestore();
      // `fail` has set it for the step.
      process.exitCode = undefined;
      for (const name of Object.keys(process.env))
        if (!(name in before)) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, before);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The task library reads the environment when it is loaded, once for each process that a stage is. */
function loadAzurePipelines(): CiPlatform {
  Reflect.deleteProperty(globalThis, "_vsts_task_lib_loaded");
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  let platform: CiPlatform | undefined;
  jest.isolateModules(() => {
    const { createAzurePipelinesPlatform } = jest.requireActual<typeof AzurePipelines>(
      "../../src/ci/azure-pipelines/platform",
    );
    platform = createAzurePipelinesPlatform();
  });
  // It takes every error of its process for the task's own.
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as "uncaughtException")) {
      if (!before[index]!.includes(listener)) process.off(event, listener);
    }
  }
  return platform!;
}

function createAzurePipelines(inputs: Record<string, string>): PlatformHarness {
  const folder = mkdtempSync(join(tmpdir(), "platform-"));
  const connection = "11111111-2222-3333-4444-555555555555";
  const before = { ...process.env };
  Object.assign(process.env, {
    AGENT_TEMPDIRECTORY: folder,
    AGENT_VERSION: "4.248.0",
    SYSTEM_OIDCREQUESTURI: "https://dev.azure.invalid/oidctoken",
    ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN: "request-token",
    [`ENDPOINT_AUTH_SCHEME_${connection}`]: "WorkloadIdentityFederation",
    [`ENDPOINT_AUTH_PARAMETER_${connection}_TENANTID`]: "tenant",
    [`ENDPOINT_AUTH_PARAMETER_${connection}_SERVICEPRINCIPALID`]: "client",
  });
  for (const [name, value] of Object.entries(inputs)) {
    process.env[`INPUT_${nameOn("azure-pipelines", name).toUpperCase()}`] = value;
  }
  let stdout = "";
  const write = jest.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  const commands = () => readLoggingCommands(stdout);
  const named = (name: string) => commands().filter(({ command }) => command === name);
  const variables = (isOutput: boolean) =>
    Object.fromEntries(
      named("task.setvariable")
        .filter(({ properties }) => properties["isoutput"] === String(isOutput))
        .map(({ properties, message }) => [properties["variable"]!, message]),
    );
  const issues = (type: string) =>
    named("task.logissue")
      .filter(({ properties }) => properties["type"] === type)
      .map(({ message }) => message);
  return {
    platform: loadAzurePipelines(),
    nextStage() {
      for (const { properties, message } of named("task.settaskvariable")) {
        process.env[`VSTS_TASKVARIABLE_${environmentName(properties["variable"]!)}`] = message;
      }
      return loadAzurePipelines();
    },
    commands,
    own: ["task.debug", "task.logissue", "task.setsecret", "task.complete", "group", "endgroup"],
    login: { kind: "service-connection", id: connection },
    masks: () => named("task.setsecret").map(({ message }) => message),
    outputs: () => variables(true),
    exported: () => variables(false),
    annotations: () => issues("error"),
    hasFailed: () =>
      named("task.complete")
        .map(({ properties }) => properties["result"])
        .join() === "Failed" && process.exitCode === undefined,
    summary: () =>
      named("task.uploadsummary")
        .map(({ message }) => (existsSync(message) ? readFileSync(message, "utf8") : ""))
        .join(""),
    close() {
      write.mockRestore();
      for (const name of Object.keys(process.env))
        if (!(name in before)) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, before);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function createFake(inputs: Record<string, string>): PlatformHarness {
  const platform = new FakePlatform({ inputs });
  return {
    platform,
    nextStage: () => platform.nextStage(),
    commands: () => platform.lines.flatMap(({ text }) => readWorkflowCommands(text)),
    own: [],
    login,
    hasFailed: () => platform.failures.length === 1,
    masks: () => platform.masks,
    outputs: () => platform.outputs,
    exported: () => Object.fromEntries(platform.exported),
    annotations: () => platform.failures.map((error) => error.explain()),
    summary: () => platform.summaries.join(""),
    close: () => undefined,
  };
}

describeCiPlatform("GitHub", createGitHub);
describeCiPlatform("Azure Pipelines", createAzurePipelines);
describeCiPlatform("the fake", createFake);
