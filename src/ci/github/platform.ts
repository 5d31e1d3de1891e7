/** GitHub Actions, the only place that knows its toolkit. */
import { tmpdir } from "node:os";
import * as core from "@actions/core";
import type { CiPlatform, PlatformLog } from "../platform";
import { plainText } from "../plain-text";
import { createGitHubIdentity } from "./identity";

export function createGitHubPlatform(environment: NodeJS.ProcessEnv = process.env): CiPlatform {
  // State saved in this step is not in its own environment: main reads back what it saved itself.
  const saved = new Map<string, string>();
  return {
    readInput: (name) => core.getInput(name),
    setOutput: core.setOutput,
    exportVariable: core.exportVariable,
    maskSecret,
    state: {
      save(name, value) {
        saved.set(name, value);
        core.saveState(name, value);
      },
      read: (name) => saved.get(name) ?? core.getState(name),
    },
    log,
    // The toolkit escapes line breaks here; an explanation has some.
    fail: (error) => core.setFailed(error.explain()),
    job: {
      system: "github",
      tempDirectory: environment["RUNNER_TEMP"] || tmpdir(),
      toolDirectory: environment["RUNNER_TOOL_CACHE"] || undefined,
      environment,
      isDebug: core.isDebug(),
    },
    identity: createGitHubIdentity(environment),
    async writeSummary(markdown) {
      if (environment["GITHUB_STEP_SUMMARY"]) await core.summary.addRaw(markdown, true).write();
    },
  };
}

const log: PlatformLog = {
  debug: (line) => core.debug(plainText(line)),
  info: (line) => core.info(plainText(line)),
  notice: (line) => core.notice(plainText(line)),
  warning: (line) => core.warning(plainText(line)),
  startGroup: (title) => core.startGroup(plainText(title)),
  endGroup: core.endGroup,
};

/** The runner masks line by line only what it is given line by line. */
function maskSecret(value: string): void {
  for (const line of value.split(/\r?\n/)) if (line.trim() !== "") core.setSecret(line);
}
