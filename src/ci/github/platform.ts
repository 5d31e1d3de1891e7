/** GitHub Actions, the only place that knows its toolkit. */
import { readFileSync } from "node:fs";
import * as core from "@actions/core";
import { ClusterConnectError } from "../../runtime/errors";
import type { CiPlatform } from "../platform";

export function createGitHubPlatform(environment: NodeJS.ProcessEnv = process.env): CiPlatform {
  // State saved in this step is not in its own environment: main reads back what it saved itself.
  const saved = new Map<string, string>();
  return {
    readInput: (name) => core.getInput(name),
    setOutput: core.setOutput,
    exportVariable: core.exportVariable,
    maskSecret(value) {
      for (const line of value.split(/\r?\n/)) if (line.trim() !== "") core.setSecret(line);
    },
    state: {
      save(name, value) {
        saved.set(name, value);
        core.saveState(name, value);
      },
      read: (name) => saved.get(name) ?? core.getState(name),
    },
    log: {
      debug: core.debug,
      info: core.info,
      notice: core.notice,
      warning: core.warning,
      startGroup: core.startGroup,
      endGroup: core.endGroup,
    },
    fail: (error) => core.setFailed(error.explain()),
    job: { tempDirectory: environment["RUNNER_TEMP"] ?? "", environment },
    identityToken(audience) {
      const requestUrl = environment["ACTIONS_ID_TOKEN_REQUEST_URL"];
      const requestToken = environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
      if (!requestUrl || !requestToken) {
        throw new ClusterConnectError("ERR_CI_OIDC_NOT_PERMITTED", whyNotPermitted(environment));
      }
      core.setSecret(requestToken);
      return { kind: "github-oidc", requestUrl, requestToken, audience };
    },
    async writeSummary(markdown) {
      await core.summary.addRaw(markdown, true).write();
    },
  };
}

/** The two usual causes look the same to the runner; the event tells them apart. */
function whyNotPermitted(environment: NodeJS.ProcessEnv): string {
  if (environment["GITHUB_ACTOR"] === "dependabot[bot]") return "the job runs for Dependabot";
  return isForkPullRequest(environment)
    ? "the job runs for a pull request from a fork"
    : "permissions: id-token: write is missing";
}

function isForkPullRequest(environment: NodeJS.ProcessEnv): boolean {
  if (!environment["GITHUB_EVENT_NAME"]?.startsWith("pull_request")) return false;
  try {
    const event = JSON.parse(readFileSync(environment["GITHUB_EVENT_PATH"] ?? "", "utf8")) as {
      pull_request?: { head?: { repo?: { fork?: boolean } | null } };
    };
    return event.pull_request?.head?.repo?.fork ?? true;
  } catch {
    return false;
  }
}
