import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGitHubPlatform } from "../../src/ci/github/platform";
import { readCommandFile } from "../support/fake-runner/command-files";
import { readWorkflowCommands } from "../support/fake-runner/workflow-commands";
import { FakePlatform } from "../support/fake-platform";
import { describeCiPlatform, type PlatformHarness } from "./ci-platform-suite";

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

function createFake(inputs: Record<string, string>): PlatformHarness {
  const platform = new FakePlatform({ inputs });
  return {
    platform,
    nextStage: () => platform.nextStage(),
    commands: () => platform.lines.flatMap(({ text }) => readWorkflowCommands(text)),
    masks: () => platform.masks,
    outputs: () => platform.outputs,
    exported: () => Object.fromEntries(platform.exported),
    annotations: () => platform.failures.map((error) => error.explain()),
    summary: () => platform.summaries.join(""),
    close: () => undefined,
  };
}

describeCiPlatform("GitHub", createGitHub);
describeCiPlatform("the fake", createFake);
